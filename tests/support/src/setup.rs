//! The setups that a test runs in: our end over each transport, and a scripted peer.

use async_tungstenite::{WebSocketStream, tokio::TokioAdapter, tungstenite::protocol};
use futures::{executor::block_on, future};
use ws_framed::{Config, WsStream};

use crate::{
    Io, MemoryTransport, OneByteIo, Peer, RawPeer, Role, handshake, memory_ends, pipe, run,
    run_multi_thread, tcp, timeout,
};

/// How many bytes a pipe holds in each direction.
pub const PIPE_CAPACITY: usize = 64 * 1024;

/// The same where each byte takes two polls.
const ONE_BYTE_CAPACITY: usize = 12 * 1024;

/// How many messages the transport in memory holds in each direction.
pub const MEMORY_CAPACITY: usize = 16;

/// What our end of the connection is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// `accept` or `connect`, over TCP, on tokio.
    Tcp(Role),
    /// A socket of async-tungstenite that the caller opened, over a pipe, without a runtime.
    Pipe(Role),
    /// A socket of tokio-tungstenite that the caller opened, over a pipe.
    TokioTungstenite(Role),
    /// A socket of async-tungstenite, over a pipe that moves one byte at a time.
    OneByte(Role),
    /// The transport in memory, which has no roles.
    Memory,
}

use Role::{Client, Server};
use Setup::{Memory, OneByte, Pipe, Tcp, TokioTungstenite};

/// All setups that send WebSocket frames.
pub const FRAMED: [Setup; 8] = [
    Tcp(Server),
    Tcp(Client),
    Pipe(Server),
    Pipe(Client),
    TokioTungstenite(Server),
    TokioTungstenite(Client),
    OneByte(Server),
    OneByte(Client),
];

/// All setups in which nothing happens but by polling, so that a test can tell that nothing more
/// will.
pub const NO_TIMERS: [Setup; 5] = [
    Pipe(Server),
    Pipe(Client),
    OneByte(Server),
    OneByte(Client),
    Memory,
];

/// Those of [`NO_TIMERS`] in which data can be received as soon as it was sent.
pub const IMMEDIATE: [Setup; 3] = [Pipe(Server), Pipe(Client), Memory];

/// Runs a test in all setups, one after the other.
pub fn on_all_transports(config: &Config, test: impl AsyncFn(WsStream, Peer)) {
    on_transports(&FRAMED, config, &test);
    on_transports(&[Memory], config, &test);
}

/// Runs a test in these setups, one after the other: those over TCP on both runtimes of tokio, the
/// others on smol and without a runtime.
pub fn on_transports(setups: &[Setup], config: &Config, test: impl AsyncFn(WsStream, Peer)) {
    for &setup in setups {
        // Shown when the test fails.
        println!("in {setup:?}");
        let open_and_test = async || {
            let (ours, peer) = setup.open(config.clone()).await;
            test(ours, peer).await;
        };
        if let Tcp(_) = setup {
            run(open_and_test());
            run_multi_thread(open_and_test());
        } else {
            block_on(timeout(open_and_test()));
            smol::block_on(timeout(open_and_test()));
        }
    }
}

impl Setup {
    /// Our end of an open connection, and the peer.
    pub async fn open(self, config: Config) -> (WsStream, Peer) {
        match self {
            Tcp(role) => {
                let (ours, theirs) = tcp().await;
                let theirs = RawPeer::handshake(TokioAdapter::new(theirs), role.other());
                let ours = handshake::open(role, config, ours);
                let (ours, peer) = future::join(ours, theirs).await;
                (ours.unwrap(), Peer::Raw(peer))
            }
            TokioTungstenite(role) => {
                let (ours, theirs) = tokio::io::duplex(PIPE_CAPACITY);
                let socket = tokio_tungstenite::WebSocketStream::from_raw_socket(
                    ours,
                    protocol_role(role),
                    None,
                );
                let ours = WsStream::with_config(socket.await, config).unwrap();
                let theirs = RawPeer::new(TokioAdapter::new(theirs), role.other());
                (ours.boxed(), Peer::Raw(theirs))
            }
            Pipe(role) => {
                let (ours, theirs) = pipe(PIPE_CAPACITY);
                let ours = from_raw_socket(ours, role, config).await;
                (ours, Peer::Raw(RawPeer::new(theirs, role.other())))
            }
            OneByte(role) => {
                let (ours, theirs) = pipe(ONE_BYTE_CAPACITY);
                let ours = from_raw_socket(OneByteIo::new(ours), role, config).await;
                (ours, Peer::Raw(RawPeer::new(theirs, role.other())))
            }
            Memory => {
                let (ours, theirs) = memory_ends(MEMORY_CAPACITY);
                let ours = WsStream::with_config(MemoryTransport::new(ours), config);
                (ours.unwrap().boxed(), Peer::memory(theirs))
            }
        }
    }
}

/// Our end over a byte stream on which the caller has done the handshake.
pub async fn from_raw_socket(io: impl Io + 'static, role: Role, config: Config) -> WsStream {
    let socket = WebSocketStream::from_raw_socket(io, protocol_role(role), None).await;
    WsStream::with_config(socket, config).unwrap().boxed()
}

fn protocol_role(role: Role) -> protocol::Role {
    match role {
        Server => protocol::Role::Server,
        Client => protocol::Role::Client,
    }
}
