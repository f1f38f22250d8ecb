//! A scripted peer that sends and receives raw WebSocket frames, valid or not.

use std::{fmt, time::Duration};

use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{
    Frame, Role,
    handshake::{ACCEPT_KEY, REQUEST, response_to},
};

/// A byte stream that a peer can own.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// The scripted peer. It does nothing that the script does not say.
pub struct RawPeer {
    io: Box<dyn Io>,
    role: Role,
    received: Vec<u8>,
}

impl fmt::Debug for RawPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawPeer")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl RawPeer {
    /// A peer in this role, over a byte stream on which the opening handshake is done.
    pub fn new(io: impl Io + 'static, role: Role) -> Self {
        Self {
            io: Box::new(io),
            role,
            received: Vec::new(),
        }
    }

    /// [`new`](Self::new), after the opening handshake (RFC 6455 section 4), which is done by hand.
    pub async fn handshake(io: impl Io + 'static, role: Role) -> Self {
        let mut peer = Self::new(io, role);
        match role {
            Role::Client => {
                peer.send_bytes(REQUEST.as_bytes()).await;
                let response = peer.read_head().await;
                assert!(response.starts_with("http/1.1 101 "), "{response}");
                assert!(response.contains(&ACCEPT_KEY.to_lowercase()), "{response}");
            }
            Role::Server => {
                let request = peer.read_head_verbatim().await;
                peer.send_bytes(&response_to(request.as_bytes())).await;
            }
        }
        peer
    }

    async fn read_head(&mut self) -> String {
        self.read_head_verbatim().await.to_lowercase()
    }

    async fn read_head_verbatim(&mut self) -> String {
        loop {
            let end = self.received.windows(4).position(|end| end == b"\r\n\r\n");
            if let Some(end) = end {
                let head = self.received.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            assert!(self.receive().await, "the head of a handshake");
        }
    }

    pub async fn send(&mut self, frame: &Frame) {
        self.send_bytes(&frame.encode_from(self.role)).await;
    }

    /// Sends the first `len` bytes of a frame.
    pub async fn send_part(&mut self, frame: &Frame, len: usize) {
        self.send_bytes(&frame.encode_from(self.role)[..len]).await;
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.io.write_all(bytes).await.unwrap();
        self.io.flush().await.unwrap();
    }

    /// Sends no more, but goes on reading.
    pub async fn close_write(&mut self) {
        self.io.close().await.unwrap();
    }

    /// The next frame; `None` at the end of the connection.
    pub async fn next(&mut self) -> Option<Frame> {
        self.next_in_time(Duration::ZERO).await
    }

    /// The same, with this time before each read, of at most 4 KiB: a slow receiver. Needs tokio,
    /// unless it is zero.
    pub async fn next_in_time(&mut self, each_read: Duration) -> Option<Frame> {
        loop {
            let frame = Frame::expect_valid(&mut self.received, self.role.other());
            if frame.is_some() {
                return frame;
            }
            if !each_read.is_zero() {
                tokio::time::sleep(each_read).await;
            }
            if !self.receive().await {
                assert!(
                    self.received.is_empty(),
                    "the connection ended within a frame"
                );
                return None;
            }
        }
    }

    /// The reserved bits and the payload of the next frame; `None` at the end of the connection.
    /// For connections with an extension.
    pub async fn next_with_rsv(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            let mut rest = self.received.as_slice();
            if let Some((frame, _)) = Frame::decode(&mut rest) {
                let len = self.received.len() - rest.len();
                self.received.drain(..len);
                return Some((frame.rsv, frame.payload));
            }
            if !self.receive().await {
                return None;
            }
        }
    }

    /// Whether there was more. A connection that was reset counts as ended.
    async fn receive(&mut self) -> bool {
        let mut chunk = vec![0; 4096];
        let read = self.io.read(&mut chunk).await.unwrap_or(0);
        self.received.extend(&chunk[..read]);
        read > 0
    }
}
