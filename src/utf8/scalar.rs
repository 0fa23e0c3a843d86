//! Validation from code point to code point: for machines without vectors.

use super::state::State;

/// Takes the next bytes of a text. Returns the index of the first byte that no valid text can contain there; the state
/// then stands before it.
///
/// Code points that are whole go by in one step; those that are cut by either end of `plain`, or have a fault, byte by
/// byte.
#[inline(never)]
pub(super) fn take(state: &mut State, plain: &[u8]) -> Result<(), usize> {
    let mut at = 0;
    loop {
        if state.is_boundary() {
            at += whole_len(plain.get(at..).unwrap_or_default());
        }
        let Some(&byte) = plain.get(at) else { return Ok(()) };
        *state = state.after(byte).ok_or(at)?;
        at += 1;
    }
}

/// Returns the length of code points that are whole and valid, up to the first one that is not, or to the last three
/// bytes.
///
/// What follows a first byte decides by its first byte alone, as in the table of RFC 3629 §4: for all but the second
/// byte any continuation will do.
// Lost, in instructions a byte of the echo server's text on a Cortex-M3, where this takes 12.4: a loop for two bytes
// beside the one for three 12.8, no inner loop at all 13.3, one code point after the other from a slice of any length
// 15.1, and indices 15.4, because each is checked again. Four bytes compared as one word took half as much again: few
// constants are short, and not every core loads a word from anywhere.
#[inline(always)]
fn whole_len(plain: &[u8]) -> usize {
    let mut rest = plain;
    // One look at the length for all that a turn of the loop reads.
    while let [a, b, c, d, ..] = rest {
        if *a < 0x80 {
            let len = match *b {
                0x80.. => 1,
                _ if *c | *d < 0x80 => 4,
                _ => 2,
            };
            rest = &rest[len..];
        } else if is_two(*a, *b) {
            let len = match *c {
                _ if is_two(*c, *d) => 4,
                ..0x80 => 3,
                _ => 2,
            };
            rest = &rest[len..];
        } else if is_common_three(*a, *b, *c) {
            rest = &rest[3..];
            while let [a, b, c, tail @ ..] = rest
                && is_common_three(*a, *b, *c)
            {
                rest = tail;
            }
        } else {
            match long_len(rest) {
                0 => break,
                len => rest = &rest[len..],
            }
        }
    }
    plain.len() - rest.len()
}

/// Returns the length of the code point of three or four bytes at the front of `plain`; 0 where there is none.
#[inline(never)]
fn long_len(plain: &[u8]) -> usize {
    match *plain {
        [a, b, c, ..] if is_three(a, b) && continues(c) => 3,
        [a, b, c, d, ..] if is_four(a, b) && continues(c) && continues(d) => 4,
        _ => 0,
    }
}

#[inline(always)]
fn continues(byte: u8) -> bool {
    byte.cast_signed() < -0x40
}

#[inline(always)]
fn is_two(a: u8, b: u8) -> bool {
    matches!(a, 0xc2..=0xdf) && continues(b)
}

/// Three bytes of which any continuations will do: all from U+1000 to U+CFFF.
#[inline(always)]
fn is_common_three(a: u8, b: u8, c: u8) -> bool {
    matches!(a, 0xe1..=0xec) && continues(b) && continues(c)
}

/// Neither an overlong form nor a surrogate.
#[inline(always)]
fn is_three(a: u8, b: u8) -> bool {
    match a {
        0xe0 => matches!(b, 0xa0..=0xbf),
        0xed => matches!(b, 0x80..=0x9f),
        0xe1..=0xef => continues(b),
        _ => false,
    }
}

/// Neither an overlong form nor beyond U+10FFFF.
#[inline(always)]
fn is_four(a: u8, b: u8) -> bool {
    match a {
        0xf0 => matches!(b, 0x90..=0xbf),
        0xf1..=0xf3 => continues(b),
        0xf4 => matches!(b, 0x80..=0x8f),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_what_the_standard_library_takes() {
        // Every pair of first bytes, before and behind continuations of either end of the range, at every place.
        let step = if cfg!(miri) { 17 } else { 1 };
        for (a, b) in (0..=0xff).step_by(step).flat_map(|a| (0..=0xff).step_by(step).map(move |b| (a, b))) {
            for rest in [[0x80, 0x80], [0xbf, 0xbf], [0x80, 0xc0], [0x7f, 0x80], [0x41, 0x42]] {
                let text = [b'x', a, b, rest[0], rest[1], b'y', b'z', b'!'];
                for end in 0..=text.len() {
                    let whole = &text[..end];
                    check_whole_len(whole);
                    let mut state = State::BOUNDARY;
                    let mut naive = State::BOUNDARY;
                    let expected = whole.iter().enumerate().find_map(|(i, &byte)| match naive.after(byte) {
                        Some(after) => {
                            naive = after;
                            None
                        }
                        None => Some(i),
                    });
                    assert_eq!(take(&mut state, whole), expected.map_or(Ok(()), Err), "{whole:x?}");
                    assert_eq!(state, naive, "{whole:x?}");
                    assert_eq!(
                        core::str::from_utf8(whole).is_ok(),
                        expected.is_none() && state.is_boundary(),
                        "{whole:x?}"
                    );
                }
            }
        }
    }

    /// Whole code points alone are passed, and all of them before the last three bytes.
    fn check_whole_len(plain: &[u8]) {
        let (passed, rest) = plain.split_at(whole_len(plain));
        assert!(core::str::from_utf8(passed).is_ok(), "{passed:x?} of {plain:x?}");
        let stops = |rest: &[u8]| (1..=4).all(|len| core::str::from_utf8(&rest[..len]).is_err());
        assert!(rest.len() < 4 || stops(rest), "{rest:x?} of {plain:x?}");
    }
}
