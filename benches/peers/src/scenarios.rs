//! What is timed, and with whom.

mod broadcast;
mod bytes;
mod many;
mod one_way;
mod ping_pong;
mod scaling;

use tokio::{runtime, task::JoinHandle, time};

use crate::{
    Options, Result,
    contenders::{
        Kind, async_tungstenite, fastwebsockets, plain_tcp, tokio_tungstenite, tokio_websockets,
        ws_framed, ws_stream_tungstenite,
    },
    measure::{Metric, Sample},
    value::{Blob, Chat, Snapshot},
};

pub(crate) use scaling::{Scale, scaling};

/// How much a run has to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// Values, writes, round trips or connections.
    pub(crate) count: usize,
    /// Bytes of each, or round trips of each connection.
    pub(crate) len: usize,
    /// Look at every byte that arrives. Not done in the rounds that count.
    pub(crate) thorough: bool,
    pub(crate) threads: usize,
}

/// One that takes part in a scenario.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) run: fn(Work) -> Result<Sample>,
}

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) metrics: &'static [Metric],
    pub(crate) work: Work,
    /// Whether each run has a process of its own, because what it measures is the process.
    pub(crate) apart: bool,
    pub(crate) contenders: Vec<Contender>,
}

const TIMES: &[Metric] = &[Metric::Wall, Metric::Cpu];

macro_rules! contenders {
    ($($name:literal $kind:ident $run:expr;)+) => {
        vec![$(Contender { name: $name, kind: Kind::$kind, run: $run }),+]
    };
}

/// Everybody who carries values, running one and the same function.
macro_rules! carriers {
    ($run:path, $value:ty) => {{
        use $run as run;
        contenders! {
            "ws-framed" Ours run::<$value, ::ws_framed::WsFramed<$value>>;
            "ws_stream_tungstenite" Adapter run::<$value, ws_stream_tungstenite::Items>;
            "async-tungstenite" PerMessage run::<$value, async_tungstenite::Socket>;
            "tokio-tungstenite" PerMessage run::<$value, tokio_tungstenite::Socket>;
            "tokio-websockets" PerMessage run::<$value, tokio_websockets::Socket>;
            "fastwebsockets" PerMessage run::<$value, fastwebsockets::Socket>;
            "tokio-util on plain TCP" Limit run::<$value, plain_tcp::Items>;
        }
    }};
}

/// Everybody who carries bytes.
macro_rules! byte_carriers {
    ($run:path) => {{
        use $run as run;
        contenders! {
            "ws-framed" Ours run::<::ws_framed::WsStream>;
            "ws_stream_tungstenite" Adapter run::<ws_stream_tungstenite::Stream>;
            "ByteReader and ByteWriter" Adapter run::<async_tungstenite::ByteAdapters>;
            "tokio-tungstenite" PerMessage run::<tokio_tungstenite::Socket>;
            "tokio-websockets" PerMessage run::<tokio_websockets::Socket>;
            "fastwebsockets" PerMessage run::<fastwebsockets::Socket>;
            "plain TCP" Limit run::<tokio::net::TcpStream>;
        }
    }};
}

/// All scenarios, at full size or, to see that they work, at a tiny one.
pub(crate) fn all(options: &Options) -> Vec<Scenario> {
    let work = |count: usize, len: usize, smoke: (usize, usize)| {
        let (count, len) = if options.smoke { smoke } else { (count, len) };
        Work {
            count,
            len,
            thorough: false,
            threads: options.threads,
        }
    };
    let scenario = |name, what, metrics, work, contenders| Scenario {
        name,
        what,
        metrics,
        work,
        apart: false,
        contenders,
    };
    let mib = 1024 * 1024;
    let mut burst = carriers!(one_way::run, Chat);
    burst.insert(
        2,
        Contender {
            name: "the same, a codec like ours",
            kind: Kind::Adapter,
            run: one_way::run::<Chat, ws_stream_tungstenite::WithOwnCodec<Chat>>,
        },
    );
    vec![
        scenario(
            "burst",
            "500 000 values of about 100 bytes one way, flushed at the end",
            TIMES,
            work(500_000, 0, (2_000, 0)),
            burst,
        ),
        scenario(
            "pingpong",
            "20 000 round trips of one value, each flushed",
            &[Metric::Latency, Metric::Wall, Metric::Cpu],
            work(20_000, 0, (100, 0)),
            carriers!(ping_pong::run, Chat),
        ),
        scenario(
            "large",
            "64 values of 4 MiB one way",
            TIMES,
            work(64, 4 * mib, (3, mib)),
            carriers!(one_way::run, Blob),
        ),
        scenario(
            "huge",
            "6 values of 48 MiB one way",
            TIMES,
            work(6, 48 * mib, (1, 48 * mib)),
            carriers!(one_way::run, Blob),
        ),
        scenario(
            "bulk",
            "1 GiB as bytes, in writes of 64 KiB",
            TIMES,
            work(16 * 1024, 64 * 1024, (32, 64 * 1024)),
            byte_carriers!(bytes::run),
        ),
        scenario(
            "smallwrites",
            "32 MiB as bytes, in writes of 64 bytes",
            TIMES,
            work(512 * 1024, 64, (4 * 1024, 64)),
            byte_carriers!(bytes::run),
        ),
        scenario(
            "fanout",
            "a value of 10 KiB sent to 1 000 connections, 10 times; no reading",
            TIMES,
            work(1_000, 10_000, (10, 10_000)),
            contenders! {
                "ws-framed" Ours broadcast::run::<Snapshot, ::ws_framed::WsFramed<Snapshot>>;
                "the same, encoding for each" Ours broadcast::run::<Snapshot, ws_framed::EncodingEach<Snapshot>>;
                "async-tungstenite" PerMessage broadcast::run::<Snapshot, async_tungstenite::Socket>;
                "the same, encoding once" PerMessage broadcast::run::<Snapshot, async_tungstenite::EncodingOnce>;
            },
        ),
        Scenario {
            apart: true,
            ..scenario(
                "idle",
                "resident memory of an open connection, both ends, after one round trip",
                &[Metric::Memory],
                work(1_000, 1, (20, 1)),
                carriers!(many::idle, Chat),
            )
        },
        scenario(
            "connections",
            "1 000 connections, 20 round trips each, all at once",
            TIMES,
            work(1_000, 20, (10, 3)),
            carriers!(many::ping_pong, Chat),
        ),
    ]
}

/// Runs `work`, all of it on this thread unless there are to be more.
fn block_on<T>(work: &Work, future: impl Future<Output = Result<T>>) -> Result<T> {
    let mut builder = match work.threads {
        0 | 1 => runtime::Builder::new_current_thread(),
        _ => runtime::Builder::new_multi_thread(),
    };
    let runtime = builder
        .worker_threads(work.threads.max(1))
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Somebody who has failed may leave the other end waiting.
        time::timeout(time::Duration::from_mins(5), future).await?
    })
}

/// A task that ends with its handle.
struct Task<T>(JoinHandle<Result<T>>);

impl<T: Send + 'static> Task<T> {
    fn spawn(work: impl Future<Output = Result<T>> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    async fn join(mut self) -> Result<T> {
        (&mut self.0).await?
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
