//! What is timed, and with whom.

macro_rules! contenders {
    ($($name:literal $kind:ident $run:expr;)+) => {
        vec![$(Contender { name: $name, kind: Kind::$kind, run: $run }),+]
    };
}

mod broadcast;
mod bytes;
mod deflate;
mod many;
mod one_way;
mod ping_pong;
mod pipelined;
mod scaling;

use tokio::{runtime, task::JoinHandle, time};

use crate::{
    Options, Result,
    contenders::{
        Kind, async_tungstenite, fastwebsockets, in_memory, plain_tcp, sockudo_ws, tls::Tls,
        tokio_tungstenite, tokio_websockets, ws_framed, ws_stream_tungstenite, yawc,
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
    /// Whether the server sends what goes one way, unmasked.
    pub(crate) down: bool,
    pub(crate) threads: usize,
}

impl Work {
    /// The sender and the receiver of a client and a server.
    fn direction<C>(&self, (client, server): (C, C)) -> (C, C) {
        if self.down {
            (server, client)
        } else {
            (client, server)
        }
    }
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
    /// Whether each run has a process of its own, because what it measures is the process, or
    /// because its values are so large that the pages which others have left to the allocator decide.
    pub(crate) apart: bool,
    pub(crate) contenders: Vec<Contender>,
}

const TIMES: &[Metric] = &[Metric::Wall, Metric::Cpu];

/// All contenders that carry values, each running the same function.
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
            "yawc" PerMessage run::<$value, yawc::Socket<false>>;
            "yawc, larger buffers" PerMessage run::<$value, yawc::Socket<true>>;
            "sockudo-ws" PerMessage run::<$value, sockudo_ws::Socket>;
            "tokio-util on plain TCP" Limit run::<$value, plain_tcp::Items>;
        }
    }};
}

/// The same over TLS.
macro_rules! secure_carriers {
    ($run:path, $value:ty) => {{
        use $run as run;
        contenders! {
            "ws-framed" Ours run::<$value, ws_framed::Secure<$value>>;
            "ws_stream_tungstenite" Adapter run::<$value, ws_stream_tungstenite::Items<Tls>>;
            "async-tungstenite" PerMessage run::<$value, async_tungstenite::Socket<Tls>>;
            "tokio-tungstenite" PerMessage run::<$value, tokio_tungstenite::Socket<Tls>>;
            "tokio-websockets" PerMessage run::<$value, tokio_websockets::Socket<Tls>>;
            "fastwebsockets" PerMessage run::<$value, fastwebsockets::Socket<Tls>>;
            "yawc" PerMessage run::<$value, yawc::Socket<false, Tls>>;
            "yawc, larger buffers" PerMessage run::<$value, yawc::Socket<true, Tls>>;
            "sockudo-ws" PerMessage run::<$value, sockudo_ws::Socket<Tls>>;
            "tokio-util on plain TLS" Limit run::<$value, plain_tcp::Items<Tls>>;
        }
    }};
}

/// All contenders that carry bytes.
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
            "yawc" PerMessage run::<yawc::Socket<false>>;
            "yawc, larger buffers" PerMessage run::<yawc::Socket<true>>;
            "sockudo-ws" PerMessage run::<sockudo_ws::Socket>;
            "plain TCP" Limit run::<tokio::net::TcpStream>;
        }
    }};
}

/// All scenarios, at full size or, to see that they work, at a tiny one. `sockets` is how many may
/// be open.
pub(crate) fn all(options: &Options, sockets: usize) -> Vec<Scenario> {
    let work = |count: usize, len: usize, smoke: (usize, usize)| {
        let (count, len) = if options.smoke { smoke } else { (count, len) };
        Work {
            count,
            len,
            thorough: false,
            down: false,
            threads: options.threads,
        }
    };
    let mut all = values(&work);
    all.extend(bytes(&work));
    all.extend(connections(&work, sockets));
    all.extend(deflate::all(&work));
    all
}

type Size<'a> = &'a dyn Fn(usize, usize, (usize, usize)) -> Work;

fn scenario(
    name: &'static str,
    what: &'static str,
    metrics: &'static [Metric],
    work: Work,
    contenders: Vec<Contender>,
) -> Scenario {
    Scenario {
        name,
        what,
        metrics,
        work,
        apart: false,
        contenders,
    }
}

/// The same with a process for each run.
fn apart(scenario: Scenario) -> Scenario {
    Scenario {
        apart: true,
        ..scenario
    }
}

const MIB: usize = 1024 * 1024;

fn values(work: Size<'_>) -> Vec<Scenario> {
    let mut burst = carriers!(one_way::run, Chat);
    burst.insert(
        2,
        Contender {
            name: "the same, a codec like ours",
            kind: Kind::Adapter,
            run: one_way::run::<Chat, ws_stream_tungstenite::WithOwnCodec<Chat>>,
        },
    );
    burst.push(Contender {
        name: "bincode in memory",
        kind: Kind::Limit,
        run: one_way::run::<Chat, in_memory::Items>,
    });
    let burst_size = work(250_000, 0, (2_000, 0));
    let round_trips = work(20_000, 0, (100, 0));
    let large = work(64, 4 * MIB, (3, MIB));
    let round_trip_metrics: &[Metric] = &[Metric::Latency, Metric::Wall, Metric::Cpu];
    vec![
        scenario(
            "burst",
            "250 000 values of about 100 bytes one way, flushed at the end",
            TIMES,
            burst_size,
            burst,
        ),
        scenario(
            "pingpong",
            "20 000 round trips of one value, each flushed",
            round_trip_metrics,
            round_trips,
            carriers!(ping_pong::run, Chat),
        ),
        scenario(
            "pipelined",
            "16 connections with 16 requests of 20 bytes in flight each, 5 000 on each",
            TIMES,
            work(5_000, 17, (64, 17)),
            pipelining(),
        ),
        scenario(
            "pipelined-1k",
            "the same with requests of 1 KiB",
            TIMES,
            work(5_000, 1020, (64, 1020)),
            pipelining(),
        ),
        apart(scenario(
            "large",
            "64 values of 4 MiB from the client",
            TIMES,
            large,
            carriers!(one_way::run, Blob),
        )),
        apart(scenario(
            "large-down",
            "64 values of 4 MiB from the server",
            TIMES,
            Work {
                down: true,
                ..large
            },
            carriers!(one_way::run, Blob),
        )),
        apart(scenario(
            "huge",
            "6 values of 48 MiB from the client",
            TIMES,
            work(6, 48 * MIB, (1, 48 * MIB)),
            carriers!(one_way::run, Blob),
        )),
        scenario(
            "tls-burst",
            "burst over TLS by rustls",
            TIMES,
            burst_size,
            secure_carriers!(one_way::run, Chat),
        ),
        scenario(
            "tls-pingpong",
            "pingpong over TLS by rustls",
            round_trip_metrics,
            round_trips,
            secure_carriers!(ping_pong::run, Chat),
        ),
    ]
}

fn bytes(work: Size<'_>) -> Vec<Scenario> {
    let bulk = work(8 * 1024, 64 * 1024, (32, 64 * 1024));
    let mut small_writes = byte_carriers!(bytes::run);
    small_writes.push(Contender {
        name: "TCP behind a BufWriter",
        kind: Kind::Limit,
        run: bytes::run::<plain_tcp::Buffered>,
    });
    vec![
        scenario(
            "bulk",
            "512 MiB as bytes from the client, in writes of 64 KiB",
            TIMES,
            bulk,
            byte_carriers!(bytes::run),
        ),
        scenario(
            "bulk-down",
            "512 MiB as bytes from the server, in writes of 64 KiB",
            TIMES,
            Work { down: true, ..bulk },
            byte_carriers!(bytes::run),
        ),
        scenario(
            "smallwrites",
            "32 MiB as bytes, in writes of 64 bytes",
            TIMES,
            work(512 * 1024, 64, (4 * 1024, 64)),
            small_writes,
        ),
    ]
}

fn pipelining() -> Vec<Contender> {
    let mut all = carriers!(pipelined::run, Blob);
    all.push(Contender {
        name: "tokio-websockets, batching",
        kind: Kind::PerMessage,
        run: pipelined::run::<Blob, tokio_websockets::Batching>,
    });
    all
}

/// How many connections are at rest, if as many sockets may be open.
const AT_REST: usize = 9_000;

fn connections(work: Size<'_>, sockets: usize) -> Vec<Scenario> {
    // A socket an end, and some for the process itself.
    let at_rest = AT_REST.min(sockets.saturating_sub(100) / 2);
    vec![
        scenario(
            "fanout",
            "a value of 10 KiB sent to 1 000 connections, 10 times; no reading",
            TIMES,
            work(1_000, 10_000, (10, 10_000)),
            contenders! {
                "ws-framed" Ours broadcast::run::<Snapshot, ::ws_framed::WsFramed<Snapshot>>;
                "the same, encoding for each" Ours broadcast::run::<Snapshot, ws_framed::EncodingEach<Snapshot>>;
                "async-tungstenite, for each" PerMessage broadcast::run::<Snapshot, async_tungstenite::Socket>;
                "async-tungstenite" PerMessage broadcast::run::<Snapshot, async_tungstenite::EncodingOnce>;
                "yawc" PerMessage broadcast::run::<Snapshot, yawc::Socket<false>>;
                "sockudo-ws" PerMessage broadcast::run::<Snapshot, sockudo_ws::Socket>;
                "ready bytes on plain TCP" Limit broadcast::run::<Snapshot, tokio::net::TcpStream>;
            },
        ),
        apart(scenario(
            "idle",
            "resident memory of an open connection, both ends, after one round trip",
            &[Metric::Memory],
            work(1_000, 1, (20, 1)),
            carriers!(many::idle, Chat),
        )),
        apart(scenario(
            "idle-9000",
            "9 000 connections at rest: memory of each; then a ping and a pong on each",
            &[Metric::Memory, Metric::Wall, Metric::Cpu],
            work(at_rest, 1, (20, 1)),
            carriers!(many::at_rest, Chat),
        )),
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
        // An end that has failed may leave the other one waiting.
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
