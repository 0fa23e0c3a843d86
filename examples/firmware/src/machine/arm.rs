//! A Cortex-M3: QEMU's mps2-an385.

use core::arch::asm;
use core::ptr;

pub use cortex_m_rt::entry;

/// SysTick: control, reload value, current value.
const SYST_CSR: *mut u32 = ptr::without_provenance_mut(0xe000_e010);
const SYST_RVR: *mut u32 = ptr::without_provenance_mut(0xe000_e014);
const SYST_CVR: *mut u32 = ptr::without_provenance_mut(0xe000_e018);

/// The first UART: data, state, control, divisor of the clock.
const UART_DATA: *mut u32 = ptr::without_provenance_mut(0x4000_4000);
const UART_STATE: *mut u32 = ptr::without_provenance_mut(0x4000_4004);
const UART_CTRL: *mut u32 = ptr::without_provenance_mut(0x4000_4008);
const UART_BAUDDIV: *mut u32 = ptr::without_provenance_mut(0x4000_4010);

const TX_FULL: u32 = 1;
const RX_FULL: u32 = 2;

/// A value of SysTick, which has 24 bits and counts down at 25 MHz.
pub(crate) type Stamp = u32;

pub(crate) fn start_counting() {
    write(SYST_RVR, 0x00ff_ffff);
    write(SYST_CVR, 0);
    // Enabled, no interrupt, the processor's clock.
    write(SYST_CSR, 0b101);
}

#[inline(always)]
pub(crate) fn stamp() -> Stamp {
    read(SYST_CVR)
}

/// With `-icount shift=10` an instruction takes 1024 ns, which are 25.6 ticks: rounding gives their exact number, up to 655 359.
#[inline(always)]
pub(crate) fn instructions_since(start: Stamp) -> u32 {
    let ticks = start.wrapping_sub(stamp()) & 0x00ff_ffff;
    (ticks * 10 + 128) / 256
}

pub(crate) fn open_serial() {
    write(UART_BAUDDIV, 16);
    write(UART_CTRL, 0b11);
}

/// Waits for a byte, and takes those that have come with it.
pub(crate) fn receive(buf: &mut [u8]) -> usize {
    let mut len = 0;
    while len < buf.len() && (len == 0 || read(UART_STATE) & RX_FULL != 0) {
        while read(UART_STATE) & RX_FULL == 0 {}
        buf[len] = read(UART_DATA) as u8;
        len += 1;
    }
    len
}

pub(crate) fn send(bytes: &[u8]) {
    for &byte in bytes {
        while read(UART_STATE) & TX_FULL != 0 {}
        write(UART_DATA, byte.into());
    }
}

/// # Safety
///
/// As the operation says, which may read and write memory that the argument points to.
pub(super) unsafe fn semihosting(operation: usize, argument: usize) -> usize {
    let result;
    // SAFETY: the caller's word.
    unsafe { asm!("bkpt #0xab", inlateout("r0") operation => result, in("r1") argument, options(nostack)) };
    result
}

#[inline(always)]
pub(super) fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

#[inline(always)]
fn read(register: *mut u32) -> u32 {
    // SAFETY: a register of this machine; all of the above may be read at any time.
    unsafe { ptr::read_volatile(register) }
}

#[inline(always)]
fn write(register: *mut u32, value: u32) {
    // SAFETY: a register of this machine; nothing else uses the timer or the UART.
    unsafe { ptr::write_volatile(register, value) }
}
