//! The machine: instructions, stack, serial port, and semihosting, by which QEMU hands over a command line and takes a
//! status.

#[cfg(target_arch = "arm")]
mod arm;
#[cfg(target_arch = "riscv32")]
mod riscv;

#[cfg(target_arch = "arm")]
use arm as cpu;
#[cfg(target_arch = "riscv32")]
use riscv as cpu;

use core::hint::black_box;
use core::panic::PanicInfo;
use core::ptr;

pub use cpu::entry;
pub(crate) use cpu::{Stamp, instructions_since, open_serial, receive, send, stamp, start_counting};

const SYS_WRITE0: usize = 0x04;
const SYS_GET_CMDLINE: usize = 0x15;
const SYS_EXIT: usize = 0x18;

const STOPPED_APPLICATION_EXIT: usize = 0x20026;
const STOPPED_RUN_TIME_ERROR: usize = 0x20023;

/// Ends QEMU, with status 0 or 1.
pub fn exit(ok: bool) -> ! {
    let reason = if ok { STOPPED_APPLICATION_EXIT } else { STOPPED_RUN_TIME_ERROR };
    // SAFETY: this call reads no memory.
    unsafe { cpu::semihosting(SYS_EXIT, reason) };
    loop {}
}

/// Prints at most 63 bytes on QEMU's console. What is printed is ASCII; as a `str` it would have to be judged, and the
/// judge would be counted as the harness's own.
pub(crate) fn print(text: &[u8]) {
    let mut line = [0; 64];
    line[..text.len()].copy_from_slice(text);
    // SAFETY: the call reads up to the zero behind the text.
    unsafe { cpu::semihosting(SYS_WRITE0, line.as_ptr().addr()) };
}

/// Returns what the command line has behind the name of the program.
pub(crate) fn command_line(buf: &mut [u8; 64]) -> &[u8] {
    let mut block = [buf.as_mut_ptr().expose_provenance(), buf.len()];
    // SAFETY: the call writes at most `buf.len()` bytes to `buf`, and the length to the block.
    let failed = unsafe { cpu::semihosting(SYS_GET_CMDLINE, block.as_mut_ptr().expose_provenance()) } != 0;
    let len = if failed { 0 } else { black_box(block)[1].min(buf.len()) };
    let line = &black_box(buf)[..len];
    line.rsplit(|&byte| byte == b' ').next().unwrap_or(line).trim_ascii()
}

/// How much stack is painted, in bytes.
const PAINTED: usize = 12 * 1024;
const PAINT: u32 = 0xa5a5_5a5a;

/// Paints the stack below the caller.
#[inline(never)]
pub(crate) fn paint_stack() {
    let top = cpu::stack_pointer();
    for offset in (4..PAINTED).step_by(4) {
        // SAFETY: RAM below the stack pointer, which nobody uses: there are no interrupts.
        unsafe { ptr::write_volatile(ptr::with_exposed_provenance_mut(top - offset), PAINT) };
    }
}

/// Returns how many bytes of the painted stack have been used, counted from the caller's stack pointer.
#[inline(never)]
pub(crate) fn stack_depth() -> usize {
    let top = cpu::stack_pointer();
    let is_painted = |offset: &usize| {
        // SAFETY: RAM, painted before.
        unsafe { ptr::read_volatile(ptr::with_exposed_provenance::<u32>(top - *offset)) == PAINT }
    };
    (4..PAINTED).step_by(4).rev().find(|offset| !is_painted(offset)).unwrap_or(0)
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    print(b"panic\n");
    exit(false)
}
