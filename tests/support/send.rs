//! The ways to encode a frame, behind one function that watches every byte of the buffers it gives.

use std::cell::Cell;

#[cfg(feature = "alloc")]
use websocket_wire::SendQueue;
use websocket_wire::{EncodeError, Encoder, Header, MaskingKey, Opcode, Rsv, Side};

use super::build::Built;

const GUARD: u8 = 0xA5;

/// A way to encode a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// `encode`: copied and masked in one pass.
    Copied,
    /// `encode_in_place`: masked where it lies, the header in front of it.
    InPlace,
    /// `header`, the payload masked by hand and in two pieces.
    HeaderOnly,
    /// `encode_to`: appended.
    Appended,
}

/// The ways that judge all of the frame; [`Way::HeaderOnly`] does not see its payload.
#[cfg(feature = "alloc")]
pub(crate) const WHOLE: &[Way] = &[Way::Copied, Way::InPlace, Way::Appended];
#[cfg(not(feature = "alloc"))]
pub(crate) const WHOLE: &[Way] = &[Way::Copied, Way::InPlace];

/// Returns every way that this build has.
pub(crate) fn ways() -> Vec<Way> {
    [WHOLE, &[Way::HeaderOnly]].concat()
}

/// Returns the header to ask the encoder for.
pub(crate) fn header(frame: &Built) -> Header {
    let header = Header::new(Opcode::from_bits(frame.opcode).unwrap()).with_rsv(Rsv::from_first_byte(frame.rsv));
    Header { fin: frame.fin, ..header }
}

/// Returns the key that is drawn as the `n`th, counted from 1.
pub(crate) fn key(n: u32) -> [u8; 4] {
    n.wrapping_mul(0x9E37_79B9).to_be_bytes()
}

/// Returns a source of keys that counts in `draws`.
pub(crate) fn keys(draws: &Cell<u32>) -> impl FnMut() -> MaskingKey {
    || {
        draws.set(draws.get() + 1);
        MaskingKey::new(key(draws.get()))
    }
}

/// Encodes a frame in the given way and returns its bytes. Whatever comes of it, no byte outside the frame may change.
pub(crate) fn send<S: Side>(
    encoder: &mut Encoder<S>,
    way: Way,
    header: Header,
    payload: &[u8],
) -> Result<Vec<u8>, EncodeError> {
    match way {
        Way::Copied => copied(encoder, header, payload),
        Way::InPlace => in_place(encoder, header, payload),
        Way::HeaderOnly => header_only(encoder, header, payload),
        Way::Appended => appended(encoder, header, payload),
    }
}

fn copied<S: Side>(encoder: &mut Encoder<S>, header: Header, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut out = vec![GUARD; Header::MAX_LEN + payload.len() + 9];
    let result = encoder.encode(header, payload, &mut out);
    let end = result.unwrap_or(0);
    assert!(out[end..].iter().all(|byte| *byte == GUARD), "written behind the frame");
    result.map(|len| out[..len].to_vec())
}

fn in_place<S: Side>(encoder: &mut Encoder<S>, header: Header, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let headroom = Header::MAX_LEN + 3;
    let mut buf = vec![GUARD; headroom];
    buf.extend(payload);
    let before = buf.clone();
    let result = encoder.encode_in_place(header, headroom, &mut buf);
    let start = result.unwrap_or(buf.len());
    assert_eq!(buf[..start], before[..start], "written in front of the frame");
    result.map(|start| buf[start..].to_vec())
}

fn header_only<S: Side>(encoder: &mut Encoder<S>, header: Header, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let header = encoder.header(header, payload.len() as u64)?;
    let (mut payload, third) = (payload.to_vec(), payload.len() / 3);
    if let Some(mut mask) = header.mask() {
        let (front, back) = payload.split_at_mut(third);
        mask.apply(front);
        mask.apply(back);
    }
    Ok([&header, &payload[..]].concat())
}

#[cfg(feature = "alloc")]
fn appended<S: Side>(encoder: &mut Encoder<S>, header: Header, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut buf = vec![GUARD; 3];
    let result = encoder.encode_to(header, payload, &mut buf);
    assert!(result.is_ok() || buf.len() == 3, "appended something and failed");
    assert_eq!(buf[..3], [GUARD; 3], "written in front of the frame");
    result.map(|()| buf[3..].to_vec())
}

#[cfg(not(feature = "alloc"))]
fn appended<S: Side>(_: &mut Encoder<S>, _: Header, _: &[u8]) -> Result<Vec<u8>, EncodeError> {
    unreachable!("`encode_to` needs the feature `alloc`")
}

/// Returns all that is to be written.
#[cfg(feature = "alloc")]
pub(crate) fn all<S: Side>(queue: &SendQueue<S>) -> Vec<u8> {
    let mut slices = vec![&[][..]; 10_000];
    let count = queue.slices(&mut slices);
    slices[..count].concat()
}
