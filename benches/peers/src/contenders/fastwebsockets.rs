//! `fastwebsockets`, a message for each value or write. Its own examples hand it a socket after the
//! handshake; it has no buffer for writes, so each message is a system call. Without its
//! `FragmentCollector`, which has no flush for TLS, since nothing here comes in fragments.

use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocket};
use tokio::net::TcpStream;

use super::{ByteCarrier, Carrier, End, Pipe};
use crate::{
    Result,
    value::{Value, decode, encode},
};

pub(crate) struct Socket<S = TcpStream>(WebSocket<S>);

impl<S: Pipe> Socket<S> {
    fn new(socket: S, role: Role) -> Self {
        Self(WebSocket::after_handshake(socket, role))
    }

    async fn send(&mut self, payload: Vec<u8>) -> Result<()> {
        let frame = Frame::binary(Payload::Owned(payload));
        Ok(self.0.write_frame(frame).await?)
    }

    async fn next_frame(&mut self) -> Result<Frame<'static>> {
        let frame = self.0.read_frame().await?;
        match frame.opcode {
            OpCode::Binary if frame.fin => Ok(frame),
            other => Err(format!("{other:?} came").into()),
        }
    }
}

impl<S: Pipe> End for Socket<S> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = S::pair().await?;
        let client = Self::new(client, Role::Client);
        Ok((client, Self::new(server, Role::Server)))
    }
}

impl<V: Value, S: Pipe> Carrier<V> for Socket<S> {
    async fn feed(&mut self, value: V) -> Result<()> {
        self.send(encode(&value)?).await
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(self.0.flush().await?)
    }

    async fn next(&mut self) -> Result<V> {
        decode(&self.next_frame().await?.payload)
    }

    async fn next_flushed(&mut self) -> Result<V> {
        Carrier::next(self).await
    }
}

impl ByteCarrier for Socket {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.send(bytes.to_vec()).await
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(self.0.flush().await?)
    }

    async fn read(&mut self, _: &mut [u8], mut see: impl FnMut(&[u8]) + Send) -> Result<()> {
        see(&self.next_frame().await?.payload);
        Ok(())
    }
}
