//! The form of an IPv6 address in a URI (RFC 3986 §3.2.2). The parser of `core::net` would take 1.1 KiB more of a
//! Cortex-M3's flash, for a value that nobody asks for here.

/// Tells whether `text` is an IPv6 address as a URI has it between brackets: no zone, no blanks.
pub(super) fn is_ipv6(text: &[u8]) -> bool {
    let (mut rest, mut groups, mut has_gap) = (text, 0, false);
    loop {
        let (mut digits, mut tail) = (0_usize, rest);
        while let [byte, after @ ..] = tail
            && byte.is_ascii_hexdigit()
        {
            (digits, tail) = (digits + 1, after);
        }
        groups += usize::from(digits > 0);
        rest = match (digits, tail) {
            (1..=4, []) => break,
            // A gap is behind a group, or in front of all.
            (0..=4, [b':', b':', after @ ..]) if !has_gap && (digits > 0 || groups == 0) => {
                has_gap = true;
                if after.is_empty() {
                    break;
                }
                after
            }
            (1..=4, [b':', after @ ..]) => after,
            // The last 32 bits.
            _ if is_ipv4(rest) => {
                groups += 1;
                break;
            }
            _ => return false,
        };
    }
    // What is left out is one group or more.
    if has_gap { groups < 8 } else { groups == 8 }
}

fn is_ipv4(text: &[u8]) -> bool {
    let (mut dots, mut octet) = (0_usize, None);
    for &byte in text {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        octet = match (byte, octet) {
            (b'.', Some(_)) => {
                dots += 1;
                None
            }
            (b'0'..=b'9', None) => Some(digit),
            // No zeros in front.
            (b'0'..=b'9', Some(number @ 1..)) if 10 * number + digit <= 255 => Some(10 * number + digit),
            _ => return false,
        };
    }
    dots == 3 && octet.is_some()
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
