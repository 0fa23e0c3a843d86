//! Validation from code point to code point: for machines without vectors.

use super::state::State;

/// Returns how many bytes of a text that begins with a code point are sound: all of them where it is valid, though it may
/// end within a code point, else those before the code point that is not.
pub(super) fn sound_len(plain: &[u8]) -> usize {
    let whole = whole_len(plain);
    if State::BOUNDARY.after_all(&plain[whole..]).is_ok() { plain.len() } else { whole }
}

/// Returns the length of the code points that are whole and valid, up to the first one that is not.
///
/// What follows a first byte decides by its first byte alone, as in the table of RFC 3629 §4: for all but the second
/// byte any continuation will do.
fn whole_len(plain: &[u8]) -> usize {
    let mut rest = plain;
    loop {
        rest = match *rest {
            [0x00..=0x7f, ref rest @ ..] => rest,
            [0xc2..=0xdf, b, ref rest @ ..] if continues(b) => rest,
            [a @ 0xe0..=0xef, b, c, ref rest @ ..] if continues(b) && continues(c) && is_three(a, b) => rest,
            [a @ 0xf0..=0xf4, b, c, d, ref rest @ ..]
                if continues(b) && continues(c) && continues(d) && is_four(a, b) =>
            {
                rest
            }
            _ => return plain.len() - rest.len(),
        }
    }
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
    fn whole_code_points_are_those_of_the_standard_library() {
        // Every pair of first bytes, before and behind continuations of either end of the range.
        for a in (0..=0xff).step_by(if cfg!(miri) { 17 } else { 1 }) {
            for b in (0..=0xff).step_by(if cfg!(miri) { 17 } else { 1 }) {
                for rest in [[0x80, 0x80], [0xbf, 0xbf], [0x80, 0xc0], [0x7f, 0x80], [0x41, 0x42]] {
                    let text = [b'x', a, b, rest[0], rest[1]];
                    for end in 0..=text.len() {
                        let expected = core::str::from_utf8(&text[..end]);
                        let len = expected.map_or_else(|error| error.valid_up_to(), str::len);
                        assert_eq!(whole_len(&text[..end]), len, "{text:x?}");
                        let is_open = expected.is_ok() || expected.is_err_and(|e| e.error_len().is_none());
                        assert_eq!(sound_len(&text[..end]), if is_open { end } else { len }, "{text:x?}");
                    }
                }
            }
        }
    }
}
