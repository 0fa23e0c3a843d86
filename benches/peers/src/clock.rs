//! Ticks of a cheap clock, and what one tick is in nanoseconds and in cycles of the core.

use std::time::{Duration, Instant};

/// Additions in the calibrating loop. Each needs the result of the one before, so the loop takes this many core cycles.
const ADDS: u64 = 1 << 16;

/// How many readings of nothing are averaged.
const EMPTY: usize = 64;

pub struct Clock {
    start: (u64, Instant),
    ticks_per_add: f64,
    /// What two readings take: a mean, because a clock may go in steps that are longer.
    overhead: f64,
}

impl Clock {
    pub fn new() -> Self {
        let mut clock =
            Self { start: (ticks(), Instant::now()), ticks_per_add: f64::INFINITY, overhead: f64::INFINITY };
        let until = Instant::now() + Duration::from_millis(300);
        while Instant::now() < until {
            clock.calibrate();
        }
        clock
    }

    /// A clock that times as `other` does; ticks are the same for all.
    pub fn like(other: &Self) -> Self {
        Self { ..*other }
    }

    /// Looks again how long a cycle is: the core may run faster than when it was looked at before.
    pub fn calibrate(&mut self) {
        for _ in 0..4 {
            let start = ticks();
            dependent_adds();
            self.ticks_per_add = self.ticks_per_add.min((ticks() - start) as f64 / ADDS as f64);
            let readings: u64 = (0..EMPTY)
                .map(|_| {
                    let start = ticks();
                    ticks() - start
                })
                .sum();
            self.overhead = self.overhead.min(readings as f64 / EMPTY as f64);
        }
    }

    pub fn cycles(&self, ticks: f64) -> f64 {
        ticks / self.ticks_per_add
    }

    pub fn ns(&self, ticks: f64) -> f64 {
        let (start, instant) = self.start;
        ticks * instant.elapsed().as_nanos() as f64 / (self::ticks() - start) as f64
    }

    /// The ticks that so many nanoseconds are.
    pub fn ticks(&self, ns: f64) -> f64 {
        ns / self.ns(1.0)
    }

    /// The core's clock rate, in GHz.
    pub fn ghz(&self) -> f64 {
        self.cycles(1.0) / self.ns(1.0)
    }

    /// Runs `f` and returns the ticks that it took.
    #[inline(always)]
    pub fn time(&self, f: impl FnOnce()) -> u64 {
        let start = ticks();
        f();
        ((ticks() - start) as f64 - self.overhead).max(0.0) as u64
    }
}

#[inline(never)]
fn dependent_adds() {
    let mut sum = 0u64;
    for i in 0..ADDS / 16 {
        for _ in 0..16 {
            // Opaque to the optimiser, which would fold the chain, but kept in a register.
            sum = opaque_add(sum, i);
        }
    }
    std::hint::black_box(sum);
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn opaque_add(mut sum: u64, i: u64) -> u64 {
    // SAFETY: adds one register to another.
    unsafe { std::arch::asm!("add {0}, {1}", inout(reg) sum, in(reg) i, options(pure, nomem, nostack)) };
    sum
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn opaque_add(mut sum: u64, i: u64) -> u64 {
    // SAFETY: adds one register to another.
    unsafe { std::arch::asm!("add {0}, {0}, {1}", inout(reg) sum, in(reg) i, options(pure, nomem, nostack)) };
    sum
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn ticks() -> u64 {
    // SAFETY: the fence and the time stamp counter are in every x86-64; neither touches memory. The fence keeps what is
    // timed between the two readings.
    unsafe {
        core::arch::x86_64::_mm_lfence();
        let ticks = core::arch::x86_64::_rdtsc();
        core::arch::x86_64::_mm_lfence();
        ticks
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn ticks() -> u64 {
    use std::sync::OnceLock;
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    EPOCH.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
