//! Why the inflater is not taken from zlib-rs: what a zlib does that permessage-deflate may not, and what it does not tell.

use zlib_rs::{Inflate, InflateFlush, Status};

use super::windows::{distance_beyond, server_bits};
use super::*;

/// Inflates with zlib-rs, a raw stream with this window; returns what came and its last word.
fn zlib(inflate: &mut Inflate, input: &[u8]) -> (Vec<u8>, Option<Status>) {
    let (mut out, before) = (vec![0; 1 << 17], inflate.total_out());
    let status = inflate.decompress(input, &mut out, InflateFlush::SyncFlush).ok();
    out.truncate((inflate.total_out() - before) as usize);
    (out, status)
}

#[test]
fn zlib_takes_a_distance_beyond_a_small_window() {
    for bits in 9..15 {
        let (payload, whole) = distance_beyond(bits, 1);
        assert_eq!(zlib(&mut Inflate::new(false, bits), &payload).0, whole, "{bits} bits");
        let ours = feed(&mut client(server_bits(bits)), &frame(0xC2, &payload), usize::MAX);
        assert_eq!(ours, Err(DecodeError::InvalidExtensionData), "{bits} bits");
    }
}

#[test]
fn zlib_ends_at_a_final_block_and_forgets_its_window() {
    let last = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
    let shared = [0xF2, 0x00, 0x11, 0x00, 0x00];
    let mut inflate = Inflate::new(false, 15);
    assert_eq!(zlib(&mut inflate, &last), (b"Hello".to_vec(), Some(Status::StreamEnd)));
    assert_eq!(zlib(&mut inflate, &shared), (vec![], Some(Status::StreamEnd)), "it takes no more");
    inflate.reset(false);
    assert_eq!(zlib(&mut inflate, &shared).1, None, "what the distance refers to is gone, and cannot be asked for");

    let wire = [frame(0xC1, &[&last[..], &[0]].concat()), frame(0xC1, &shared)].concat();
    assert_eq!(feed(&mut client(Agreement::DEFAULT), &wire, usize::MAX), Ok(vec![text("Hello"); 2]));
}

#[test]
fn zlib_does_not_tell_whether_a_message_may_end() {
    // The tail behind a stored block that lacks four bytes is taken for these four; behind one that is whole, for a tail.
    let whole = [0x00, 0x01, 0x00, 0xFE, 0xFF, b'a', 0x00];
    let cut = [0x00, 0x05, 0x00, 0xFA, 0xFF, b'a'];
    // A dynamic block that has only begun: nothing comes out, and nothing says that more is missing than the tail.
    let begun = [0x04, 0xE0, 0x01];
    let status = |payload: &[u8]| {
        let mut inflate = Inflate::new(false, 15);
        zlib(&mut inflate, payload);
        zlib(&mut inflate, &[0, 0, 0xFF, 0xFF])
    };
    assert_eq!(status(&whole), (vec![], Some(Status::Ok)));
    assert_eq!(status(&begun), (vec![], Some(Status::Ok)));
    assert_eq!(status(&cut), (vec![0, 0, 0xFF, 0xFF], Some(Status::Ok)));

    for (payload, may_end) in [(&whole[..], true), (&begun, false), (&cut, false)] {
        let ours = feed(&mut client(Agreement::DEFAULT), &frame(0xC2, payload), usize::MAX);
        assert_eq!(ours.is_ok(), may_end, "{payload:02x?}");
    }
}
