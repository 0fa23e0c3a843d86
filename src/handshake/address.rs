//! The form of an IPv6 address in a URI (RFC 3986 §3.2.2). The parser of `core::net` would take 1.1 KiB more of a
//! Cortex-M3's flash, for a value that nobody asks for here.

/// Tells whether `text` is an IPv6 address as a URI has it between brackets: no zone, no blanks.
pub(super) fn is_ipv6(text: &[u8]) -> bool {
    match text.windows(2).position(|pair| pair == b"::") {
        None => groups(text, true) == Some(8),
        // What is left out is one group or more.
        Some(gap) => {
            let (head, tail) = (groups(&text[..gap], false), groups(&text[gap + 2..], true));
            head.zip(tail).is_some_and(|(head, tail)| head + tail < 8)
        }
    }
}

/// Returns how many groups of 16 bits a list has, or `None` if it is not one. An IPv4 address is two of them, where it
/// may be: at the end.
fn groups(list: &[u8], may_end_in_ipv4: bool) -> Option<usize> {
    if list.is_empty() {
        return Some(0);
    }
    let from_the_end = list.rsplit(|byte| *byte == b':').enumerate();
    from_the_end
        .map(|(i, part)| match part.len() {
            1..=4 if part.iter().all(u8::is_ascii_hexdigit) => Some(1),
            _ if i == 0 && may_end_in_ipv4 && is_ipv4(part) => Some(2),
            _ => None,
        })
        .sum()
}

fn is_ipv4(text: &[u8]) -> bool {
    let octets = || text.split(|byte| *byte == b'.');
    octets().count() == 4 && octets().all(is_octet)
}

/// A number up to 255 without zeros in front.
fn is_octet(text: &[u8]) -> bool {
    matches!(
        *text,
        [b'0'..=b'9']
            | [b'1'..=b'9', b'0'..=b'9']
            | [b'1', b'0'..=b'9', b'0'..=b'9']
            | [b'2', b'0'..=b'4', b'0'..=b'9']
            | [b'2', b'5', b'0'..=b'5']
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv6Addr;
    use proptest::prelude::*;
    use std::{string::String, vec::Vec};

    fn check(text: &str) {
        assert_eq!(is_ipv6(text.as_bytes()), text.parse::<Ipv6Addr>().is_ok(), "{text:?}");
    }

    #[test]
    fn every_short_text_is_judged_as_the_standard_library_does() {
        let max_len = if cfg!(miri) { 4 } else { 8 };
        let mut texts: Vec<String> = std::vec![String::new()];
        for len in 0..=max_len {
            texts.iter().for_each(|text| check(text));
            if len < max_len {
                let longer = |text: &String| [":", "1", ".", "g"].map(|next| std::format!("{text}{next}"));
                texts = texts.iter().flat_map(longer).collect();
            }
        }
    }

    #[test]
    fn every_octet_is_judged_as_the_standard_library_does() {
        for number in 0..1100 {
            check(&std::format!("::1.2.{number}.3"));
            check(&std::format!("::1.2.3.0{number}"));
        }
    }

    #[test]
    fn every_count_of_groups_on_either_side_of_a_gap() {
        for (head, tail) in (0..10).flat_map(|head| (0..10).map(move |tail| (head, tail))) {
            let list = |count: usize, last: &str| {
                let mut parts = std::vec!["fE0"; count];
                parts.extend((!last.is_empty()).then_some(last));
                parts.join(":")
            };
            for (gap, last) in
                ["::", ":", ":::", ""].into_iter().flat_map(|gap| ["", "10.0.0.255"].map(|last| (gap, last)))
            {
                check(&std::format!("{}{gap}{}", list(head, ""), list(tail, last)));
                check(&std::format!("{}{gap}{}", list(head, last), list(tail, "")));
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_as_the_standard_library_does(
            head in "(([0-9a-fA-F]{1,4}|0{0,5}):){0,8}:{0,2}",
            tail in "([0-9a-fg]{0,5}:){0,8}",
            last in "[0-9.]{0,9}|[0-2]?[0-9]{1,2}([.][0-2]?[0-9]{1,2}){3}|[0-9a-f%]{1,4}",
        ) {
            check(&(head + &tail + &last));
        }
    }
}
