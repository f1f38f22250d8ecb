//! Clocks and scales.

use std::{
    fs, io, mem,
    time::{Duration, Instant},
};

use crate::{Result, contenders::counted};

/// What one run of one contender took. What does not apply is zero.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    /// Seconds that passed.
    pub(crate) wall: f64,
    /// Seconds of processor time of the whole process: both ends, their kernel time included.
    pub(crate) cpu: f64,
    /// The median round trip, in seconds.
    pub(crate) latency: f64,
    /// Resident bytes a connection, both ends together.
    pub(crate) memory: f64,
    /// Bytes that went through the sockets, where those count them.
    pub(crate) bytes: f64,
}

/// Which figure of a [`Sample`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    Wall,
    Cpu,
    Latency,
    Memory,
    Bytes,
}

impl Metric {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wall => "wall",
            Self::Cpu => "cpu",
            Self::Latency => "latency",
            Self::Memory => "memory",
            Self::Bytes => "bytes",
        }
    }

    pub(crate) fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::Wall => sample.wall,
            Self::Cpu => sample.cpu,
            Self::Latency => sample.latency,
            Self::Memory => sample.memory,
            Self::Bytes => sample.bytes,
        }
    }

    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Wall | Self::Cpu => format!("{:.1} ms", value * 1e3),
            Self::Latency => format!("{:.2} µs", value * 1e6),
            Self::Memory | Self::Bytes => format!("{:.1} KiB", value / 1024.0),
        }
    }
}

/// Runs from its start.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: Duration,
    bytes: u64,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self {
            bytes: counted::received(),
            cpu: processor_time(),
            wall: Instant::now(),
        }
    }

    pub(crate) fn read(&self) -> Sample {
        Sample {
            wall: self.wall.elapsed().as_secs_f64(),
            cpu: processor_time().saturating_sub(self.cpu).as_secs_f64(),
            bytes: (counted::received() - self.bytes) as f64,
            ..Sample::default()
        }
    }
}

/// What all threads of this process have used, in user and in kernel mode.
fn processor_time() -> Duration {
    // SAFETY: `getrusage` fills the structure that it is given, in which zeroes are valid.
    let usage = unsafe {
        let mut usage: libc::rusage = mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec.unsigned_abs())
            + Duration::from_micros(time.tv_usec.unsigned_abs())
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// Bytes of this process that are in memory now.
pub(crate) fn resident() -> Result<usize> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    let pages = pages.split(' ').nth(1).ok_or("statm has another format")?;
    Ok(pages.parse::<usize>()? * 4096)
}

/// Makes room for as many sockets as the system lets us have, and says how many that are.
pub(crate) fn raise_socket_limit() -> Result<usize> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: both calls only look at the structure that they are given, or fill it.
    let failed = unsafe {
        let failed = libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max;
        failed | libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit)
    };
    if failed != 0 {
        return Err(io::Error::last_os_error().into());
    }
    Ok(usize::try_from(limit.rlim_max)?)
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.as_slice() {
        [] => f64::NAN,
        values if values.len() % 2 == 1 => values[middle],
        values => f64::midpoint(values[middle - 1], values[middle]),
    }
}
