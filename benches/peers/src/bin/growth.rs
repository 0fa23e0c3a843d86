//! Bytes of state, peak heap, and how time grows with length. Prints a part of the document; `ci/bench.sh` runs it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::mem::size_of;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use bytes::BytesMut;
use websocket_wire::{
    Assembler, Client, Config, Decoder, Encoder, Header, Limits, Mask, MaskingKey, Opcode, Server, Status,
};

/// The system's allocator, counting.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(NOW.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `f`; returns what it took at most from the heap beyond what was taken before, and its time in nanoseconds.
fn measure(f: impl FnOnce()) -> (usize, f64) {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let start = Instant::now();
    f();
    let ns = start.elapsed().as_nanos() as f64;
    (PEAK.load(Relaxed) - before, ns)
}

const READ: usize = 64 << 10;
const KEY: MaskingKey = MaskingKey::new([0x37, 0xfa, 0x21, 0x3d]);

fn config() -> Config {
    Config::server().limits(Limits::NONE)
}

/// A masked frame of `len` bytes of text, read 64 KiB at a time; `take` is given each read.
fn each_read(len: usize, mut take: impl FnMut(&[u8])) {
    let header = Header { mask: Some(KEY), payload_len: len as u64, ..Header::new(Opcode::Text) };
    take(&header.encode().expect("a valid header"));
    let mut masked = vec![b'a'; READ];
    Mask::new(KEY).apply(&mut masked);
    let mut left = len;
    while left > 0 {
        let n = left.min(READ);
        take(&masked[..n]);
        left -= n;
    }
}

/// Takes a message of `len` bytes in parts, from one buffer that is read into again and again.
fn in_parts(len: usize) {
    let (mut decoder, mut buf, mut taken) = (Decoder::new(config()), vec![0; READ + Header::MAX_LEN], 0);
    let mut held = 0;
    each_read(len, |read| {
        buf[held..held + read.len()].copy_from_slice(read);
        held += read.len();
        let mut at = 0;
        while let Status::Complete { value, consumed } = decoder.decode(&mut buf[at..held]).expect("valid text") {
            taken += black_box(value.payload()).len();
            at += consumed;
        }
        buf.copy_within(at..held, 0);
        held -= at;
    });
    assert_eq!((taken, held), (len, 0));
}

/// Takes it as one owned message.
fn owned(len: usize) {
    let (mut assembler, mut input) = (Assembler::new(config()), BytesMut::new());
    let mut message = None;
    each_read(len, |read| {
        input.extend_from_slice(read);
        message = assembler.next_message(&mut input).expect("valid text");
    });
    let Some(websocket_wire::Message::Text(text)) = message else { panic!("a text message") };
    assert_eq!(black_box(text).len(), len);
}

/// Takes a message of so many fragments of one byte.
fn fragments(count: usize) {
    let (mut assembler, mut input) = (Assembler::new(config()), BytesMut::new());
    let mut message = None;
    for i in 0..count {
        let first = if i == 0 { 1 } else { 0 } | if i + 1 == count { 0x80 } else { 0 };
        input.extend_from_slice(&[first, 0x81, 0, 0, 0, 0, b'x']);
        message = assembler.next_message(&mut input).expect("valid fragments");
    }
    let Some(websocket_wire::Message::Text(text)) = message else { panic!("a text message") };
    assert_eq!(black_box(text).len(), count);
}

fn best(rounds: usize, f: impl Fn()) -> f64 {
    (0..rounds).map(|_| measure(&f).1).fold(f64::MAX, f64::min)
}

fn main() {
    let is_quick = std::env::args().any(|arg| arg == "--quick");
    println!("| state of a connection | bytes, on this machine |\n|---|---|");
    println!("| `Decoder` | {} |", size_of::<Decoder>());
    println!("| `Encoder<Server>` | {} |", size_of::<Encoder<Server>>());
    println!(
        "| `Encoder<Client<_>>`, its source of keys apart | {} |",
        size_of::<Encoder<Client<fn() -> MaskingKey>>>() - 8
    );
    println!("| `Assembler`, its heap apart | {} |", size_of::<Assembler>());

    println!("\n| peak heap | bytes |\n|---|---|");
    let buffers = 2 * READ + Header::MAX_LEN;
    for len in [1 << 20, 1 << 30] {
        let (peak, _) = measure(|| in_parts(len));
        assert_eq!(peak, buffers, "nothing but the two buffers of this program");
        println!(
            "| text message of {} taken in parts | {} of the codec, {buffers} of its caller |",
            mib(len),
            peak - buffers
        );
    }
    let (peak, _) = measure(|| owned(64 << 20));
    println!("| text message of 64 MiB as one owned `Message` | {peak} |");

    println!("\n| a message of fragments of one byte, `Assembler` | ns a byte |\n|---|---|");
    let per_byte = [10_000, 100_000, 1_000_000].map(|count| {
        let ns = best(if is_quick { 3 } else { 10 }, || fragments(count)) / count as f64;
        println!("| {count} fragments | {ns:.1} |");
        ns
    });
    assert!(per_byte[2] < 2.0 * per_byte[1], "time is not linear in the number of fragments: {per_byte:?}");

    println!(
        "\n| one text message in reads of 64 KiB | `Decoder`, in parts, ns a byte | `Assembler`, ns a byte |\n|---|---|---|"
    );
    for shift in (16..=28).step_by(2) {
        let len = 1usize << shift;
        let rounds = ((if is_quick { 1 << 27 } else { 1 << 30 }) / len).clamp(2, 200);
        let parts = best(rounds, || in_parts(len)) / len as f64;
        let whole = best(rounds, || owned(len)) / len as f64;
        println!("| {} | {parts:.4} | {whole:.4} |", mib(len));
    }
}

fn mib(len: usize) -> String {
    match len >> 20 {
        0 => format!("{} KiB", len >> 10),
        1024 => "1 GiB".into(),
        mib => format!("{mib} MiB"),
    }
}
