//! `tokio_websockets`, a message for each value or write.

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, Message, ServerBuilder, WebSocketStream};

use super::{ByteCarrier, Carrier, End, Pipe, URL};
use crate::{
    Result,
    value::{Value, decode, encode},
};

pub(crate) type Socket<S = TcpStream> = WebSocketStream<S>;

impl<S: Pipe> End for Socket<S> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = S::pair().await?;
        let (connector, acceptor) = (ClientBuilder::new().uri(URL)?, ServerBuilder::new());
        let ((client, _), (_, server)) =
            tokio::try_join!(connector.connect_on(client), acceptor.accept(server))?;
        Ok((client, server))
    }
}

impl<V: Value, S: Pipe> Carrier<V> for Socket<S> {
    async fn feed(&mut self, value: V) -> Result<()> {
        Ok(SinkExt::feed(self, Message::binary(encode(&value)?)).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(SinkExt::flush(self).await?)
    }

    async fn next(&mut self) -> Result<V> {
        let message = StreamExt::next(self).await.ok_or("the stream ended")??;
        decode(message.as_payload())
    }
}

impl ByteCarrier for Socket {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let message = Message::binary(Bytes::copy_from_slice(bytes));
        Ok(SinkExt::feed(self, message).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(SinkExt::flush(self).await?)
    }

    async fn read(&mut self, _: &mut [u8], mut see: impl FnMut(&[u8]) + Send) -> Result<()> {
        let message = StreamExt::next(self).await.ok_or("the stream ended")??;
        see(message.as_payload());
        Ok(())
    }
}

/// Its reads flush what was fed, so a caller that answers several requests at once keeps the
/// answers until there is nothing more to read.
pub(crate) struct Batching {
    socket: Socket,
    fed: Vec<Message>,
}

impl End for Batching {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = Socket::<TcpStream>::pair().await?;
        let batching = |socket| Self {
            socket,
            fed: Vec::new(),
        };
        Ok((batching(client), batching(server)))
    }
}

impl<V: Value> Carrier<V> for Batching {
    async fn feed(&mut self, value: V) -> Result<()> {
        self.fed.push(Message::binary(encode(&value)?));
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        for message in self.fed.drain(..) {
            SinkExt::feed(&mut self.socket, message).await?;
        }
        Ok(SinkExt::flush(&mut self.socket).await?)
    }

    async fn next(&mut self) -> Result<V> {
        Carrier::next(&mut self.socket).await
    }
}
