//! `tokio_tungstenite`, a message for each value or write.

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, accept_async, client_async, tungstenite::Message};

use super::{ByteCarrier, Carrier, End, URL, tcp};
use crate::{
    Result,
    value::{Value, decode, encode},
};

pub(crate) type Socket = WebSocketStream<TcpStream>;

impl End for Socket {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = tcp().await?;
        let ((client, _), server) =
            tokio::try_join!(client_async(URL, client), accept_async(server))?;
        Ok((client, server))
    }
}

async fn next(socket: &mut Socket) -> Result<Bytes> {
    let message = StreamExt::next(socket).await.ok_or("the stream ended")??;
    Ok(message.into_data())
}

impl<V: Value> Carrier<V> for Socket {
    async fn feed(&mut self, value: V) -> Result<()> {
        Ok(SinkExt::feed(self, Message::binary(encode(&value)?)).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(SinkExt::flush(self).await?)
    }

    async fn next(&mut self) -> Result<V> {
        decode(&next(self).await?)
    }
}

impl ByteCarrier for Socket {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let message = Message::Binary(Bytes::copy_from_slice(bytes));
        Ok(SinkExt::feed(self, message).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(SinkExt::flush(self).await?)
    }

    async fn read(&mut self, _: &mut [u8], mut see: impl FnMut(&[u8]) + Send) -> Result<()> {
        see(&next(self).await?);
        Ok(())
    }
}
