//! A 32-bit RISC-V: QEMU's virt.

use core::arch::asm;
use core::ptr;

pub use riscv_rt::entry;

/// The UART, a 16550: data, state of the line.
const UART_DATA: *mut u8 = ptr::without_provenance_mut(0x1000_0000);
const UART_LSR: *mut u8 = ptr::without_provenance_mut(0x1000_0005);

const RX_READY: u8 = 1;
const TX_EMPTY: u8 = 0x20;

/// A value of `minstret`, its lower half.
pub(crate) type Stamp = u32;

/// `minstret` always counts.
pub(crate) fn start_counting() {}

#[inline(always)]
pub(crate) fn stamp() -> Stamp {
    let count;
    // SAFETY: reads a register.
    unsafe { asm!("csrr {}, minstret", out(reg) count, options(nomem, nostack)) };
    count
}

#[inline(always)]
pub(crate) fn instructions_since(start: Stamp) -> u32 {
    stamp().wrapping_sub(start)
}

/// It is open from the start.
pub(crate) fn open_serial() {}

/// Waits for a byte, and takes those that have come with it.
pub(crate) fn receive(buf: &mut [u8]) -> usize {
    let mut len = 0;
    while len < buf.len() && (len == 0 || read(UART_LSR) & RX_READY != 0) {
        while read(UART_LSR) & RX_READY == 0 {}
        buf[len] = read(UART_DATA);
        len += 1;
    }
    len
}

pub(crate) fn send(bytes: &[u8]) {
    for &byte in bytes {
        while read(UART_LSR) & TX_EMPTY == 0 {}
        // SAFETY: a register of this machine; nothing else uses the UART.
        unsafe { ptr::write_volatile(UART_DATA, byte) };
    }
}

/// # Safety
///
/// As the operation says, which may read and write memory that the argument points to.
pub(super) unsafe fn semihosting(operation: usize, argument: usize) -> usize {
    let result;
    // SAFETY: the caller's word. The three instructions must be next to each other, uncompressed and on one page.
    unsafe {
        asm!(
            ".balign 16", ".option push", ".option norvc",
            "slli x0, x0, 0x1f", "ebreak", "srai x0, x0, 7",
            ".option pop",
            inlateout("a0") operation => result, in("a1") argument, options(nostack),
        )
    };
    result
}

#[inline(always)]
pub(super) fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: reads a register.
    unsafe { asm!("mv {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

#[inline(always)]
fn read(register: *mut u8) -> u8 {
    // SAFETY: a register of this machine.
    unsafe { ptr::read_volatile(register) }
}
