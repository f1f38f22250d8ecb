//! `yawc`, a message for each value or write. It gets the bare socket after the handshake, by `from_stream`, as it has no
//! server for sockets without hyper. Once as it is by default, with buffers of 8 KiB, and once with the larger buffers that
//! its documentation suggests for throughput.

use bytes::Bytes;
use futures::SinkExt;
use tokio::net::TcpStream;
use yawc::{Frame, OpCode, Options, Role, WebSocket};

use super::{Broadcaster, ByteCarrier, Carrier, End, MAX_VALUE_LEN, Pipe};
use crate::{
    Result,
    value::{Value, decode, encode},
};

/// `LARGE`: with the larger buffers.
pub(crate) struct Socket<const LARGE: bool, S = TcpStream>(WebSocket<S>);

impl<const LARGE: bool, S: Pipe> Socket<LARGE, S> {
    fn new(socket: S, role: Role) -> Result<Self> {
        let mut options = Options::default()
            .without_compression()
            .with_max_payload_read(MAX_VALUE_LEN);
        if LARGE {
            options = options
                .with_read_buffer_capacity(128 * 1024)
                .with_backpressure_boundary(64 * 1024);
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
