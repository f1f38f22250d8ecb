//! `yawc`, a message for each value or write. It gets the bare socket after the handshake, by
//! `from_stream`, as it has no server for sockets without hyper. Once as it is by default, with
//! buffers of 8 KiB, and once with the larger buffers that its documentation suggests for
//! throughput. Compressed, it sends JSON as text, and has the same buffers or the small ones that
//! its documentation suggests for idle connections.

use std::sync::OnceLock;

use bytes::Bytes;
use futures::SinkExt;
use tokio::net::TcpStream;
use yawc::{CompressionLevel, DeflatePool, Frame, OpCode, Options, Role, WebSocket};

use super::{
    Broadcaster, ByteCarrier, COMPRESSION_LEVEL, Carrier, End, MAX_VALUE_LEN, MIN_COMPRESSED_LEN,
    Pipe, counted::Counted,
};
use crate::{
    Result,
    value::{Value, decode, encode},
};

/// `LARGE`: with the larger buffers.
pub(crate) struct Socket<const LARGE: bool, S = TcpStream>(WebSocket<S>);

fn larger_buffers(options: Options) -> Options {
    options
        .with_read_buffer_capacity(128 * 1024)
        .with_backpressure_boundary(64 * 1024)
}

impl<const LARGE: bool, S: Pipe> Socket<LARGE, S> {
    fn new(socket: S, role: Role) -> Result<Self> {
        let mut options = Options::default()
            .without_compression()
            .with_max_payload_read(MAX_VALUE_LEN);
        if LARGE {
            options = larger_buffers(options);
        }
        Ok(Self(WebSocket::from_stream(socket, role, options)?))
    }

    async fn send_later(&mut self, payload: impl Into<Bytes>) -> Result<()> {
        Ok(self.0.feed(Frame::binary(payload)).await?)
    }

    async fn next_payload(&mut self) -> Result<Bytes> {
        let frame = self.0.next_frame().await?;
        match frame.opcode() {
            OpCode::Binary => Ok(frame.into_payload()),
            other => Err(format!("{other:?} came").into()),
        }
    }
}

impl<const LARGE: bool, S: Pipe> End for Socket<LARGE, S> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = S::pair().await?;
        Ok((
            Self::new(client, Role::Client)?,
            Self::new(server, Role::Server)?,
        ))
    }
}

impl<const LARGE: bool, V: Value, S: Pipe> Carrier<V> for Socket<LARGE, S> {
    async fn feed(&mut self, value: V) -> Result<()> {
        self.send_later(encode(&value)?).await
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(self.0.flush().await?)
    }

    async fn next(&mut self) -> Result<V> {
        decode(&self.next_payload().await?)
    }
}

impl<const LARGE: bool> ByteCarrier for Socket<LARGE> {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.send_later(Bytes::copy_from_slice(bytes)).await
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(self.0.flush().await?)
    }

    async fn read(&mut self, _: &mut [u8], mut see: impl FnMut(&[u8]) + Send) -> Result<()> {
        see(&self.next_payload().await?);
        Ok(())
    }
}

/// Encodes once, and gives every connection a message of the same bytes.
impl<const LARGE: bool, V: Value> Broadcaster<V> for Socket<LARGE> {
    async fn send_to_all(ends: &mut [Self], value: &V) -> Result<()> {
        let bytes = Bytes::from(encode(value)?);
        for end in ends {
            end.0.send(Frame::binary(bytes.clone())).await?;
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<V> {
        Carrier::next(self).await
    }
}

/// The buffers of [`Compressed`].
pub(crate) const DEFAULT: u8 = 0;
pub(crate) const LARGER: u8 = 1;
pub(crate) const SMALLER: u8 = 2;

/// JSON in messages of text, compressed.
pub(crate) struct Compressed<const CONTEXT: bool, const BUFFERS: u8>(WebSocket<Counted>);

impl<const CONTEXT: bool, const BUFFERS: u8> Compressed<CONTEXT, BUFFERS> {
    fn new(socket: Counted, role: Role) -> Result<Self> {
        /// As many compressors as this library keeps.
        static POOL: OnceLock<DeflatePool> = OnceLock::new();
        let mut options = Options::default()
            .with_max_payload_read(MAX_VALUE_LEN)
            .with_utf8()
            .with_compression_level(CompressionLevel::new(COMPRESSION_LEVEL.into()))
            .with_compression_threshold(MIN_COMPRESSED_LEN);
        options = match BUFFERS {
            LARGER => larger_buffers(options),
            SMALLER => options
                .with_read_buffer_capacity(1024)
                .with_write_buffer_capacity(1024),
            _ => options,
        };
        let mut agreed = "permessage-deflate";
        if !CONTEXT {
            let pool = POOL.get_or_init(|| DeflatePool::new(16));
            options = options.with_deflate_pool(pool.clone());
            agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        }
        let agreed = Some(agreed);
        let socket = WebSocket::from_stream_with_extensions(socket, role, agreed, options)?;
        Ok(Self(socket))
    }
}

impl<const CONTEXT: bool, const BUFFERS: u8> End for Compressed<CONTEXT, BUFFERS> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = Counted::pair().await?;
        Ok((
            Self::new(client, Role::Client)?,
            Self::new(server, Role::Server)?,
        ))
    }
}

impl<const CONTEXT: bool, const BUFFERS: u8, V: Value> Carrier<V> for Compressed<CONTEXT, BUFFERS> {
    async fn feed(&mut self, value: V) -> Result<()> {
        let frame = Frame::text(serde_json::to_vec(&value)?);
        Ok(self.0.feed(frame).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(self.0.flush().await?)
    }

    async fn next(&mut self) -> Result<V> {
        let frame = self.0.next_frame().await?;
        match frame.opcode() {
            OpCode::Text => Ok(serde_json::from_slice(&frame.into_payload())?),
            other => Err(format!("{other:?} came").into()),
        }
    }
}
