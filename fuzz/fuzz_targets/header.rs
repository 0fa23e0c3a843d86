//! `Header::parse` and `RawFrames` on any bytes: what RFC 6455 section 5.2 draws, read here field by field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket_wire::{DecodeError, Header, RawFrames, Status};

fuzz_target!(|bytes: &[u8]| {
    let expected = naive(bytes);
    let parsed = Header::parse(bytes);
    match (parsed, expected) {
        (Ok(Status::Partial { needed }), Ok(Err(missing))) => assert_eq!(needed, missing),
        (Ok(Status::Complete { value, consumed }), Ok(Ok((len, end)))) => {
            assert_eq!((value.payload_len, consumed), (len, end));
            assert_eq!(value.encoded_len(), end);
            assert_eq!(*value.encode().unwrap(), bytes[..end], "what is parsed is encoded as it was");
        }
        (Err(error), Err(expected)) => assert_eq!(error, expected),
        (parsed, expected) => panic!("{parsed:?}, not {expected:?}"),
    }

    let mut frames = RawFrames::new(bytes);
    let mut walked = Vec::new();
    while let Some(Ok(frame)) = frames.next() {
        walked.extend_from_slice(frame.bytes());
        let mut plain = vec![0; frame.payload().len()];
        frame.unmask_to(&mut plain);
    }
    assert_eq!([&walked, frames.rest()].concat(), bytes);
});

/// Returns the length of the payload and that of the header, or how many bytes are missing, or the fault.
fn naive(bytes: &[u8]) -> Result<Result<(u64, usize), usize>, DecodeError> {
    let [first, second, ..] = bytes else { return Ok(Err(2 - bytes.len())) };
    let (is_control, code) = (first & 0x08 != 0, second & 0x7F);
    if is_control && first & 0x80 == 0 {
        return Err(DecodeError::FragmentedControl);
    }
    if is_control && code > 125 {
        return Err(DecodeError::ControlTooLong);
    }
    let (extended, least) = match code {
        126 => (2, 126),
        127 => (8, 65_536),
        _ => (0, 0),
    };
    if bytes.len() < 2 + extended {
        return Ok(Err(2 + extended - bytes.len()));
    }
    let len = match extended {
        0 => u64::from(code),
        _ => bytes[2..2 + extended].iter().fold(0, |len, byte| len << 8 | u64::from(*byte)),
    };
    if len >> 63 != 0 {
        return Err(DecodeError::LengthTopBit);
    }
    if len < least {
        return Err(DecodeError::NonMinimalLength);
    }
    let end = 2 + extended + if second & 0x80 != 0 { 4 } else { 0 };
    // Up to the first byte of the payload, or to the end of a control frame, there is nothing to be had but the header.
    if bytes.len() < end { Ok(Err(end - bytes.len())) } else { Ok(Ok((len, end))) }
}
