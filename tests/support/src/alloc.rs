//! A global allocator that counts what each thread allocates, for tests of memory ceilings.
//!
//! The counters are those of the calling thread: neither the test harness nor other tests show in a
//! measurement, and a peer on a thread of its own does not either. This module has the only `unsafe`
//! code of the repository, which a `GlobalAlloc` needs.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// What a thread has allocated so far.
#[derive(Debug, Clone, Copy)]
struct Counters {
    /// Bytes; negative in a thread that frees what others allocated.
    live: isize,
    peak: isize,
    calls: usize,
}

thread_local! {
    // Constant and without a destructor, so that it can be used by an allocator.
    static COUNTERS: Cell<Counters> = const {
        Cell::new(Counters { live: 0, peak: 0, calls: 0 })
    };
}

/// Install with `#[global_allocator] static ALLOC: CountingAlloc = CountingAlloc;`.
#[derive(Debug)]
pub struct CountingAlloc;

fn update(change: impl FnOnce(&mut Counters)) {
    let mut counters = COUNTERS.get();
    change(&mut counters);
    COUNTERS.set(counters);
}

/// The size of an allocation, which fits: see `Layout`.
#[allow(clippy::cast_possible_wrap)]
fn signed(bytes: usize) -> isize {
    bytes as isize
}

fn grew(bytes: usize) {
    update(|counters| {
        counters.live += signed(bytes);
        counters.peak = counters.peak.max(counters.live);
        counters.calls += 1;
    });
}

fn shrank(bytes: usize) {
    update(|counters| counters.live -= signed(bytes));
}

// SAFETY: every call is handed to `System` unchanged; the counters do not touch the memory.
unsafe impl GlobalAlloc for CountingAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        shrank(layout.size());
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // A reallocation may hold both blocks for a moment; count it as the worst case.
        grew(new_size);
        shrank(layout.size());
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

/// What a thread allocated during a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// The most bytes that were live at one time, above what was live before.
    pub peak: usize,
    /// How often memory was asked for.
    pub calls: usize,
    /// Bytes that are live now and were not before.
    pub kept: usize,
}

/// Starts a measurement of the calling thread; [`Meter::cost`] reads it.
#[derive(Debug)]
pub struct Meter(Counters);

impl Meter {
    /// Forgets the peak of earlier measurements and starts a new one.
    #[must_use]
    pub fn start() -> Self {
        update(|counters| counters.peak = counters.live);
        Self(COUNTERS.get())
    }

    /// The cost since the start, which was in the same thread.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let (before, now) = (self.0, COUNTERS.get());
        let above = |live: isize| usize::try_from(live - before.live).unwrap_or(0);
        Cost {
            peak: above(now.peak),
            calls: now.calls - before.calls,
            kept: above(now.live),
        }
    }
}

/// Runs `f` and tells what it cost.
pub fn measure<R>(f: impl FnOnce() -> R) -> (R, Cost) {
    let meter = Meter::start();
    let result = f();
    (result, meter.cost())
}
