//! The system's allocator, and what a thread takes of it. A test file that includes this one has it as its allocator.
#![allow(dead_code, reason = "each test file uses its own share")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

// Of this thread: the test runner's other threads do not disturb it.
thread_local! {
    /// What has been allocated and not freed, in bytes.
    static HELD: Cell<isize> = const { Cell::new(0) };
    /// The most that it ever was, where an allocation that grows is extended in place.
    static PEAK: Cell<isize> = const { Cell::new(0) };
    /// The most that it ever was, where both the old and the new one are held while one is copied to the other.
    static PEAK_COPIED: Cell<isize> = const { Cell::new(0) };
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a run took of the heap, in bytes beyond what was held before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heap {
    pub(crate) peak: usize,
    pub(crate) peak_copied: usize,
    pub(crate) held: isize,
    /// How often something was allocated or changed its size.
    pub(crate) allocations: usize,
}

pub(crate) fn heap<T>(run: impl FnOnce() -> T) -> (T, Heap) {
    let (before, allocations) = (HELD.get(), ALLOCATIONS.get());
    PEAK.set(before);
    PEAK_COPIED.set(before);
    let result = run();
    let heap = Heap {
        peak: (PEAK.get() - before) as usize,
        peak_copied: (PEAK_COPIED.get() - before) as usize,
        held: HELD.get() - before,
        allocations: ALLOCATIONS.get() - allocations,
    };
    (result, heap)
}

/// Counts an allocation of `new` bytes where there were `old`.
fn count(old: usize, new: usize) {
    // A layout is no longer than `isize::MAX`.
    PEAK_COPIED.set(PEAK_COPIED.get().max(HELD.get() + new as isize));
    HELD.set(HELD.get() + new as isize - old as isize);
    PEAK.set(PEAK.get().max(HELD.get()));
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

#[allow(unsafe_code)]
// SAFETY: Every call goes to the system's allocator with the arguments as they came; counting allocates nothing, since
// the counters are initialised in a constant and have no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        // SAFETY: the caller keeps the contract of this same method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(layout.size(), new_size);
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}
