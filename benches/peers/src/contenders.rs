//! Who takes part, and what each must be able to do.

pub(crate) mod async_tungstenite;
pub(crate) mod counted;
pub(crate) mod fastwebsockets;
pub(crate) mod in_memory;
pub(crate) mod plain_tcp;
pub(crate) mod sockudo_ws;
pub(crate) mod tls;
pub(crate) mod tokio_tungstenite;
pub(crate) mod tokio_websockets;
pub(crate) mod ws_framed;
pub(crate) mod ws_stream_tungstenite;
pub(crate) mod yawc;

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicU8, Ordering},
};

use futures::FutureExt;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{Result, value::Value};

/// What the handshakes ask for.
pub(crate) const URL: &str = "ws://localhost/";

/// The largest value, and the longest message of those that send a message for each, that every
/// contender accepts.
pub(crate) const MAX_VALUE_LEN: usize = 64 * 1024 * 1024;

/// Those that compress do it at the same level, from the same length on, with the largest window.
pub(crate) const COMPRESSION_LEVEL: u8 = 4;
pub(crate) const MIN_COMPRESSED_LEN: usize = 64;

/// How a contender stands to this library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    /// Carries bytes over a WebSocket, as ours does.
    Adapter,
    /// Sends a WebSocket message for each value or write.
    PerMessage,
    /// No WebSocket at all: what is to be had without one, or without a socket.
    Limit,
}

/// A byte stream below the contenders: TCP, or TLS over it.
pub(crate) trait Pipe: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// The client's end and the server's.
    fn pair() -> impl Future<Output = Result<(Self, Self)>> + Send
    where
        Self: Sized;
}

impl Pipe for TcpStream {
    async fn pair() -> Result<(Self, Self)> {
        tcp().await
    }
}

/// One end of an open connection.
pub(crate) trait End: Send + Sized + 'static {
    /// The client's end and the server's, after the handshake.
    async fn pair() -> Result<(Self, Self)>;
}

/// An end that carries values.
pub(crate) trait Carrier<V: Value>: End {
    fn feed(&mut self, value: V) -> impl Future<Output = Result<()>> + Send;
    fn flush(&mut self) -> impl Future<Output = Result<()>> + Send;
    fn next(&mut self) -> impl Future<Output = Result<V>> + Send;

    /// The next value; before it has to wait for it, it flushes what was fed. Values that are there
    /// already are thus answered together.
    fn next_flushed(&mut self) -> impl Future<Output = Result<V>> + Send {
        async {
            if let Some(value) = self.next().now_or_never() {
                return value;
            }
            self.flush().await?;
            self.next().await
        }
    }
}

/// An end that carries bytes.
pub(crate) trait ByteCarrier: End {
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = Result<()>> + Send;
    fn flush(&mut self) -> impl Future<Output = Result<()>> + Send;

    /// Shows what comes next, at least a byte. `buffer` is for those who read into one.
    fn read(
        &mut self,
        buffer: &mut [u8],
        see: impl FnMut(&[u8]) + Send,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// A server's end of many that all get the same value.
pub(crate) trait Broadcaster<V: Value>: End {
    /// Sends one value to all.
    fn send_to_all(ends: &mut [Self], value: &V) -> impl Future<Output = Result<()>> + Send;

    /// What the client's end of one of them gets.
    fn receive(&mut self) -> impl Future<Output = Result<V>> + Send;
}

/// About as long as the request and the response of an opening handshake.
const HEAD: [u8; 160] = [b'h'; 160];

/// A TCP connection on the loopback interface, without Nagle's delay at either end. The ports of
/// one address would not be enough for the connections of all rounds: each is taken for a minute
/// after its end.
///
/// A head was sent in both directions. Some contenders do a handshake, and others take the bare
/// socket. The kernel acknowledges at once what arrives first on a connection, and the size of the
/// first segment decides for how long.
pub(crate) async fn tcp() -> Result<(TcpStream, TcpStream)> {
    static CONNECTIONS: AtomicU8 = AtomicU8::new(0);
    let host = CONNECTIONS.fetch_add(1, Ordering::Relaxed) % 200 + 1;
    let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, host), 0)).await?;
    let address = listener.local_addr()?;
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (mut client, (mut server, _)) = (client?, server?);
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let mut head = HEAD;
    client.write_all(&HEAD).await?;
    server.read_exact(&mut head).await?;
    server.write_all(&HEAD).await?;
    client.read_exact(&mut head).await?;
    Ok((client, server))
}
