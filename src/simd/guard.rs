//! Memory between two pages that nobody may touch, for the tests of kernels: to read or write one byte beyond it ends
//! the process with a signal. What a plain build of a kernel that reads too far would otherwise pass, does not pass
//! here.
#![allow(unsafe_code)]

use core::{ffi::c_int, ptr, slice};

/// A multiple of the page of any system.
const GUARD: usize = 64 << 10;

/// Which end of the accessible memory a slice touches.
#[derive(Copy, Clone, Debug)]
pub(crate) enum End {
    Front,
    Back,
}

impl End {
    pub(crate) const BOTH: [Self; 2] = [End::Front, End::Back];
}

/// A mapping of three parts of [`GUARD`] bytes, of which only the middle one is accessible.
pub(crate) struct Guarded {
    base: *mut u8,
}

impl Guarded {
    pub(crate) fn new() -> Self {
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping, which the system places where nothing else is.
        let base = unsafe { libc::mmap(ptr::null_mut(), 3 * GUARD, libc::PROT_NONE, kind, -1, 0) };
        assert_ne!(base, libc::MAP_FAILED);
        Guarded { base: base.cast() }
    }

    /// Returns a copy of `bytes` at this end, to be read and written.
    pub(crate) fn writable(&mut self, end: End, bytes: &[u8]) -> &mut [u8] {
        self.protect(libc::PROT_READ | libc::PROT_WRITE);
        let place = self.place(end, bytes.len());
        // SAFETY: `place` has that many bytes in the part that was just made accessible, which nobody else has while
        // `self` is borrowed.
        let slice = unsafe { slice::from_raw_parts_mut(place, bytes.len()) };
        slice.copy_from_slice(bytes);
        slice
    }

    /// Returns a copy of `bytes` at this end, to be read: even to write back what is there ends the process.
    pub(crate) fn readable(&mut self, end: End, bytes: &[u8]) -> &[u8] {
        self.writable(end, bytes);
        self.protect(libc::PROT_READ);
        // SAFETY: as in `writable`.
        unsafe { slice::from_raw_parts(self.place(end, bytes.len()), bytes.len()) }
    }

    fn place(&self, end: End, len: usize) -> *mut u8 {
        assert!(len <= GUARD);
        match end {
            End::Front => self.base.wrapping_add(GUARD),
            End::Back => self.base.wrapping_add(2 * GUARD - len),
        }
    }

    fn protect(&mut self, access: c_int) {
        // SAFETY: the middle part is this type's own, and no slice of it is left while `self` is borrowed mutably.
        let status = unsafe { libc::mprotect(self.base.wrapping_add(GUARD).cast(), GUARD, access) };
        assert_eq!(status, 0);
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the whole of the mapping of `new`, of which no slice is left.
        unsafe { libc::munmap(self.base.cast(), 3 * GUARD) };
    }
}

/// A pipe takes what can be read and refuses, without a signal, what cannot.
#[test]
fn the_bytes_around_are_out_of_reach() {
    use std::os::fd::AsRawFd;

    let (_reader, pipe) = std::io::pipe().unwrap();
    let mut guarded = Guarded::new();
    for end in End::BOTH {
        let (first, len) = (guarded.readable(end, b"abc").as_ptr(), 3);
        // SAFETY: the system looks at the address before it reads there.
        let can_read = |place: *const u8| unsafe { libc::write(pipe.as_raw_fd(), place.cast(), 1) } == 1;
        assert!(can_read(first) && can_read(first.wrapping_add(len - 1)));
        match end {
            End::Front => assert!(!can_read(first.wrapping_sub(1))),
            End::Back => assert!(!can_read(first.wrapping_add(len))),
        }
    }
}
