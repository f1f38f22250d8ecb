//! Work whose cost is counted: it is the same on every machine, so that a change of it shows.
//!
//! Each kind of work runs over the library alone, where messages are handed over in memory. It also
//! runs with the framing of `connect` and `accept`, through an in-memory pipe of tokio, on one
//! thread.

mod pipe;

use futures::{SinkExt, StreamExt, executor::block_on};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_framed::{Acceptor, Bincode, Connector, MessageTransport, WsFramed, WsStream};

/// About 100 bytes when encoded, and nothing on the heap: what is allocated is not its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Small {
    id: u64,
    position: [f64; 3],
    velocity: [f64; 3],
    spin: [f64; 3],
    state: Option<[u16; 4]>,
    large: [u128; 2],
}

impl Small {
    #[must_use]
    pub fn nth(n: u64) -> Self {
        Self {
            id: n,
            position: [0.5, 1.5, -2.5],
            velocity: [1e-3, 0.0, 1e9],
            spin: [0.25; 3],
            state: Some([1, 2, 300, 4000]),
            large: [u128::MAX, 7],
        }
    }
}

/// A value of many messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Large {
    #[serde(with = "serde_bytes")]
    pub data: Vec<u8>,
}

/// How many small values are fed before a flush.
pub const BATCH: u64 = 500;

/// How many small values are fed before a flush where they fill several messages.
pub const BURST: u64 = 5000;

/// How many bytes are written in small pieces before a flush.
pub const STREAM_LEN: usize = 512 * 1024;

/// How many bytes such a piece has.
pub const PIECE_LEN: usize = 64;

/// The length of a large value, in bytes.
pub const LARGE_LEN: usize = 4 * 1024 * 1024;

/// How many bytes are written at once.
pub const WRITE_LEN: usize = 64 * 1024;

/// Both ends of a connection over the library alone.
#[must_use]
pub fn alone() -> (WsStream, WsStream) {
    let (client, server) = pipe::pair();
    (WsStream::new(client).boxed(), WsStream::new(server).boxed())
}

/// Both ends of a connection with the framing of `connect` and `accept`.
#[must_use]
pub fn over_socket() -> (WsStream, WsStream) {
    // Room for everything that is sent before it is read.
    let (client, server) = tokio::io::duplex(2 * LARGE_LEN);
    let (connector, acceptor) = (Connector::new(), Acceptor::new());
    let client = connector.connect_over(client, "ws://localhost/");
    block_on(futures::future::try_join(client, acceptor.accept(server))).unwrap()
}

pub type Items<T> = WsFramed<T, Bincode<T>>;

/// Both ends of a connection as item streams.
#[must_use]
pub fn items<T>((client, server): (WsStream, WsStream)) -> (Items<T>, Items<T>)
where
    T: Serialize + for<'de> Deserialize<'de>,
{
    let max = 2 * LARGE_LEN;
    (
        client.framed(Bincode::new(max)),
        server.framed(Bincode::new(max)),
    )
}

/// The same, with a message for each item.
#[must_use]
pub fn messages((client, server): (WsStream, WsStream)) -> (Items<Small>, Items<Small>) {
    let codec = || Bincode::new(1024);
    (client.per_message(codec()), server.per_message(codec()))
}

/// Sends so many small values, flushed at the end, and receives them.
pub fn send_batch<M: MessageTransport>(
    client: &mut WsFramed<Small, Bincode<Small>, M>,
    server: &mut WsFramed<Small, Bincode<Small>, M>,
    count: u64,
) {
    block_on(async {
        for n in 0..count {
            client.feed(Small::nth(n)).await.unwrap();
        }
        client.flush().await.unwrap();
        for n in 0..count {
            assert_eq!(server.next().await.unwrap().unwrap(), Small::nth(n));
        }
    });
}

/// Sends a small value and receives it.
pub fn send_one(client: &mut Items<Small>, server: &mut Items<Small>) {
    block_on(async {
        client.send(Small::nth(1)).await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap(), Small::nth(1));
    });
}

/// Sends a large value and receives it.
pub fn send_large(client: &mut Items<Large>, server: &mut Items<Large>, value: Large) -> Large {
    block_on(async {
        let (sent, received) = futures::join!(client.send(value), server.next());
        sent.unwrap();
        received.unwrap().unwrap()
    })
}

/// Writes bytes in pieces of a length, flushed at the end, and reads them.
pub fn send_bytes(
    client: &mut WsStream,
    server: &mut WsStream,
    buffer: &mut [u8],
    piece_len: usize,
) {
    block_on(async {
        for piece in buffer.chunks(piece_len) {
            client.write_all(piece).await.unwrap();
        }
        AsyncWriteExt::flush(client).await.unwrap();
        server.read_exact(buffer).await.unwrap();
    });
}
