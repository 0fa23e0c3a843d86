//! An echo server for microcontrollers, once for each codec, and what it takes to count them.
//!
//! A firmware is one [`Codec`] and [`run`]. By the word on its command line it
//!
//! - `script`: answers clients whose bytes lie in memory, checks every byte of the answers, and prints the instructions and
//!   the stack that it took;
//! - `corrupt`: does the same with one byte of the client's changed, and must fail;
//! - `serial`: serves one client over the serial port.
//!
//! It exits with a status. Nothing allocates, and no buffer is longer than 256 bytes but those of the script.
#![no_std]

mod check;
mod link;
pub mod machine;
mod script;
#[cfg(feature = "handshake")]
pub mod upgrade;

pub use link::Link;

use machine::{exit, print};
use script::{Script, Workload};

/// The length of each buffer that a codec gets, in bytes.
pub const BUFFER: usize = 256;

/// A WebSocket server on one connection.
pub trait Codec {
    /// Whether it takes frames that are longer than [`BUFFER`].
    const STREAMS: bool = false;

    /// Whether it takes a fragment that comes in more than one piece.
    const TAKES_CUT_FRAGMENTS: bool = true;

    /// Takes the client's request and answers it. Returns whether the connection is open.
    fn open(link: &mut Link<'_>) -> bool;

    /// Sends back whole messages, or what came of them, and pongs for pings, until the client's close frame is answered.
    /// Returns whether it came to that.
    fn echo(link: &mut Link<'_>) -> bool;
}

/// The program.
pub fn run<C: Codec>() -> ! {
    let mut word = [0; 64];
    let ok = match machine::command_line(&mut word) {
        b"script" => script::WORKLOADS.iter().all(|workload| measure::<C>(workload, false)),
        b"corrupt" => script::WORKLOADS.iter().all(|workload| measure::<C>(workload, true)),
        b"serial" => serve::<C>(&mut Link::serial()),
        _ => false,
    };
    print(if ok { b"ok\n" } else { b"FAILED\n" });
    exit(ok)
}

fn serve<C: Codec>(link: &mut Link<'_>) -> bool {
    (!cfg!(feature = "handshake") || open::<C>(link)) && echo::<C>(link)
}

// Out of line, so that the stack of each is what is below the call.

#[inline(never)]
fn open<C: Codec>(link: &mut Link<'_>) -> bool {
    C::open(link)
}

#[inline(never)]
fn echo<C: Codec>(link: &mut Link<'_>) -> bool {
    C::echo(link)
}

/// Serves one workload and prints its line: frames, bytes of payload, instructions, bytes of stack.
fn measure<C: Codec>(workload: &Workload, corrupt: bool) -> bool {
    let is_asked = (C::STREAMS || !workload.needs_stream)
        && (C::TAKES_CUT_FRAGMENTS || !workload.cuts_fragments)
        && (cfg!(feature = "handshake") || !workload.is_handshake);
    if !is_asked {
        return true;
    }
    let (mut input, mut output) = ([0; 4096], [0; 4096]);
    let mut script = Script::new(&mut input);
    script.write(workload);
    if corrupt {
        script.corrupt();
    }
    machine::paint_stack();
    let mut link = Link::script(script.bytes(), &mut output);
    let answered = if workload.is_handshake { open::<C>(&mut link) } else { echo::<C>(&mut link) };
    let stack = machine::stack_depth();
    let instructions = link.instructions();
    let ok = answered && check::answers(workload, link.written());
    print(workload.name.as_bytes());
    for number in [script.frames(), script.payload_len(), instructions as usize, stack] {
        print(b"\t");
        print_number(number);
    }
    print(if ok { b"\n" } else { b"\twrong\n" });
    ok
}

fn print_number(number: usize) {
    let (mut digits, mut at, mut rest) = ([0; 11], 10, number);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    print(&digits[at..10]);
}
