//! A global allocator that counts, for tests of memory ceilings.
//!
//! The counters are those of the whole process: each test of a binary that measures holds
//! [`exclusive`], so that they run one at a time. This module has the only `unsafe` code of the
//! repository, which a `GlobalAlloc` needs.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Install with `#[global_allocator] static ALLOC: CountingAlloc = CountingAlloc;`.
#[derive(Debug)]
pub struct CountingAlloc;

fn grew(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(live, Relaxed);
    CALLS.fetch_add(1, Relaxed);
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
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // A reallocation may hold both blocks for a moment; count it as the worst case.
        grew(new_size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

/// Held by a test while it measures.
pub fn exclusive() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What [`measure`] saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// The most bytes that were live at one time, above what was live before.
    pub peak: usize,
    /// How often memory was asked for.
    pub calls: usize,
    /// Bytes that are live now and were not before.
    pub kept: usize,
}

/// Starts a measurement; [`Meter::cost`] reads it.
#[derive(Debug)]
pub struct Meter {
    live: usize,
    calls: usize,
}

impl Meter {
    /// Forgets the peak of earlier measurements and starts a new one.
    #[must_use]
    pub fn start() -> Self {
        let live = LIVE.load(Relaxed);
        PEAK.store(live, Relaxed);
        Self {
            live,
            calls: CALLS.load(Relaxed),
        }
    }

    /// The cost since the start.
    #[must_use]
    pub fn cost(&self) -> Cost {
        Cost {
            peak: PEAK.load(Relaxed).saturating_sub(self.live),
            calls: CALLS.load(Relaxed) - self.calls,
            kept: LIVE.load(Relaxed).saturating_sub(self.live),
        }
    }
}

/// Runs `f` and tells what it cost.
pub fn measure<R>(f: impl FnOnce() -> R) -> (R, Cost) {
    let meter = Meter::start();
    let result = f();
    (result, meter.cost())
}
