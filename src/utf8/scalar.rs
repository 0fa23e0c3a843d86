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
#[inline(always)]
fn whole_len(plain: &[u8]) -> usize {
    let mut rest = plain;
    // One look at the length for all that a code point can have.
    while let [a, b, c, d, ..] = *rest {
        let len = match a {
            0x00..=0x7f => 1,
            0xc2..=0xdf if continues(b) => 2,
            0xe0..=0xef if continues(b) && continues(c) && is_three(a, b) => 3,
            0xf0..=0xf4 if continues(b) && continues(c) && continues(d) && is_four(a, b) => 4,
            _ => break,
        };
        rest = &rest[len..];
    }
    plain.len() - rest.len()
}

#[inline(always)]
fn continues(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Neither an overlong form nor a surrogate.
#[inline(always)]
fn is_three(a: u8, b: u8) -> bool {
    !(a == 0xe0 && b < 0xa0 || a == 0xed && b >= 0xa0)
}

/// Neither an overlong form nor beyond U+10FFFF.
#[inline(always)]
fn is_four(a: u8, b: u8) -> bool {
    !(a == 0xf0 && b < 0x90 || a == 0xf4 && b >= 0x90)
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
}
