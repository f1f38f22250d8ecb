//! What the tests of the contract share: scripted peers, and the places where a test runs.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test file uses a part of it"
)]

pub mod cancel;
#[cfg(feature = "tracing")]
pub mod ear;
pub mod handshake;
pub mod memory;
pub mod peer;
pub mod raw;
pub mod slow;
pub mod sockets;

use std::{
    fmt, io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use async_tungstenite::{WebSocketStream, tokio::TokioAdapter, tungstenite::protocol};
use futures::{
    AsyncReadExt, FutureExt, StreamExt,
    future::{self, Either},
};
use ws_framed::{
    Config, WsErr, WsEvent, WsStream,
    pharos::{Events, Observable, ObserveConfig},
};

use self::{
    memory::Memory,
    peer::Peer,
    raw::{Frame, Io, RawPeer, Role},
    slow::Trickle,
};

/// How many bytes a pipe holds each way.
pub const PIPE: usize = 64 * 1024;

/// How many messages the transport in memory holds each way.
pub const MESSAGES: usize = 16;

/// What our end of the connection is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `accept` or `connect`, over TCP, on tokio.
    Tcp(Role),
    /// A socket of async-tungstenite that the user opened, over a pipe, without a runtime.
    Pipe(Role),
    /// The same, one byte at a time.
    Trickle(Role),
    /// The transport in memory, which has no roles.
    Memory,
}

use Place::{Pipe, Tcp};
use Role::{Client, Server};

/// All places where WebSocket frames are sent.
pub const WIRES: [Place; 6] = [
    Tcp(Server),
    Tcp(Client),
    Pipe(Server),
    Pipe(Client),
    Place::Trickle(Server),
    Place::Trickle(Client),
];

/// All places where nothing happens but by polling, so that a test can tell that nothing more will.
pub const QUIET: [Place; 5] = [
    Pipe(Server),
    Pipe(Client),
    Place::Trickle(Server),
    Place::Trickle(Client),
    Place::Memory,
];

/// Those of them where what was sent can be received at once.
pub const PROMPT: [Place; 3] = [Pipe(Server), Pipe(Client), Place::Memory];

/// The default settings, without keepalive: its timer would wake what nothing else wakes, and its pings
/// would be in a script's way.
pub fn settings() -> Config {
    Config::default().keepalive(None)
}

/// Runs a test in all places, one after the other.
pub fn everywhere(config: &Config, test: impl AsyncFn(WsStream, Peer)) {
    run_in(&WIRES, config, &test);
    run_in(&[Place::Memory], config, &test);
}

/// Runs a test in these places, one after the other: over TCP on both flavours of tokio, elsewhere on smol and on no
/// runtime at all.
pub fn run_in(places: &[Place], config: &Config, test: impl AsyncFn(WsStream, Peer)) {
    for &place in places {
        // Shown when the test fails.
        println!("in {place:?}");
        let meet_and_test = async || {
            let (ours, peer) = place.meet(config.clone()).await;
            test(ours, peer).await;
        };
        if let Tcp(_) = place {
            sockets::run(meet_and_test());
            sockets::run_on_threads(meet_and_test());
        } else {
            futures::executor::block_on(sockets::within(meet_and_test()));
            smol::block_on(sockets::within(meet_and_test()));
        }
    }
}

impl Place {
    /// Our end of an open connection, and the peer.
    pub async fn meet(self, config: Config) -> (WsStream, Peer) {
        match self {
            Tcp(role) => {
                let (ours, theirs) = sockets::tcp().await;
                let theirs = RawPeer::shake_hands(TokioAdapter::new(theirs), role.other());
                let ours = handshake::open(role, config, ours);
                let (ours, peer) = future::join(ours, theirs).await;
                (ours.unwrap(), Peer::Raw(peer))
            }
            Pipe(role) => {
                let (ours, theirs) = sockets::pipe(PIPE);
                (wrap(ours, role, config).await, raw(theirs, role))
            }
            Self::Trickle(role) => {
                let (ours, theirs) = sockets::pipe(PIPE);
                let ours = Trickle::new(ours);
                (wrap(ours, role, config).await, raw(theirs, role))
            }
            Self::Memory => {
                let (ours, theirs) = memory::ends(MESSAGES);
                let ours = WsStream::with_config(Memory::new(ours), config);
                let peer = Peer::Memory {
                    end: theirs,
                    partial: None,
                };
                (ours.unwrap().boxed(), peer)
            }
        }
    }
}

/// Our end over a connection that the user opened.
pub async fn wrap(io: impl Io + 'static, role: Role, config: Config) -> WsStream {
    let role = match role {
        Server => protocol::Role::Server,
        Client => protocol::Role::Client,
    };
    let socket = WebSocketStream::from_raw_socket(io, role, None).await;
    WsStream::with_config(socket, config).unwrap().boxed()
}

/// The peer of our end in this role.
fn raw(io: impl Io + 'static, ours: Role) -> Peer {
    Peer::Raw(RawPeer::new(io, ours.other()))
}

/// Reads to the end, and looks twice whether it is one: the bytes, and how they ended.
pub async fn read_to_end(ours: &mut WsStream) -> (Vec<u8>, io::Result<()>) {
    let mut data = Vec::new();
    let end = ours.read_to_end(&mut data).await.map(drop);
    for _ in 0..3 {
        let again = ours.read(&mut [0; 8]).await;
        assert_eq!(again.expect("an error comes once"), 0, "after the end");
    }
    (data, end)
}

/// The error of the library inside one of `std`.
pub fn inside(error: &io::Error) -> &WsErr {
    WsErr::find_in(error).expect("a WsErr is inside")
}

/// What `script` gives, while a read of ours waits for data that must not come.
pub async fn while_reading<T>(ours: &mut WsStream, script: impl Future<Output = T>) -> T {
    let mut buf = [0; 64];
    let script = pin!(script);
    match future::select(ours.read(&mut buf), script).await {
        Either::Left((read, _)) => panic!("a read was to find nothing, and gave {read:?}"),
        Either::Right((output, _)) => output,
    }
}

/// Observes everything.
pub async fn observe(ours: &mut impl Observable<WsEvent, Error = WsErr>) -> Events<WsEvent> {
    ours.observe(ObserveConfig::default()).await.unwrap()
}

/// The events that are there, as words: what each is and what it holds.
pub fn told(events: &mut Events<WsEvent>) -> Vec<String> {
    std::iter::from_fn(|| events.next().now_or_never().flatten())
        .map(|event| match event {
            WsEvent::Ping(payload) => format!("ping {}", Text(&payload)),
            WsEvent::Pong(payload) => format!("pong {}", Text(&payload)),
            WsEvent::Text(text) => format!("text {text}"),
            WsEvent::CloseFrame(frame) => {
                format!("close {}", frame.map_or(1005, |frame| frame.code().into()))
            }
            WsEvent::Error(error) => format!("error {:?}", error.kind()),
            WsEvent::Lagged(missed) => format!("lagged {missed}"),
            WsEvent::Closed => "closed".to_owned(),
            other => panic!("{other:?} is new"),
        })
        .collect()
}

struct Text<'a>(&'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.0))
    }
}

/// Polls until the future is done, or until nothing has woken it: then it waits for somebody else. For
/// the [`QUIET`] places.
pub fn settle<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    let flag = Arc::new(Flag::default());
    let waker = Waker::from(Arc::clone(&flag));
    loop {
        let output = future.as_mut().poll(&mut Context::from_waker(&waker));
        if output.is_ready() || !flag.take() {
            return output;
        }
    }
}

/// Polls until nothing wakes it any more, as its task would. It is woken through `woken` from then on.
pub fn park<F: Future>(mut future: Pin<&mut F>, woken: &Arc<Flag>) {
    let waker = Waker::from(Arc::clone(woken));
    loop {
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        if !woken.take() {
            return;
        }
    }
}

/// Parks the one, woken through `woken`, and then the other.
pub fn park_both<F: Future, G: Future>(
    mut one: Pin<&mut F>,
    woken: &Arc<Flag>,
    mut other: Pin<&mut G>,
) {
    loop {
        park(one.as_mut(), woken);
        assert!(settle(other.as_mut()).is_pending());
        // If the other has woken the one, its task polls it again.
        if !woken.take() {
            return;
        }
    }
}

/// A waker that remembers.
#[derive(Default)]
pub struct Flag(AtomicBool);

impl Flag {
    /// Whether it was woken since the last call.
    pub fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The frames of a message in fragments of these bytes.
pub fn fragments(opcode: u8, parts: &[&[u8]]) -> Vec<Frame> {
    let last = parts.len() - 1;
    let frame = |(at, part): (usize, &&[u8])| Frame {
        fin: at == last,
        ..Frame::new(if at == 0 { opcode } else { raw::CONTINUATION }, *part)
    };
    parts.iter().enumerate().map(frame).collect()
}
