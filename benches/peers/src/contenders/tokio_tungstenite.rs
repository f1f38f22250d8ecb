//! `tokio_tungstenite`, a message for each value or write.

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, accept_async_with_config, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use super::{ByteCarrier, Carrier, End, MAX_VALUE_LEN, Pipe, URL};
use crate::{
    Result,
    value::{Value, decode, encode},
};

pub(crate) type Socket<S = TcpStream> = WebSocketStream<S>;

impl<S: Pipe> End for Socket<S> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = S::pair().await?;
        let limit = Some(MAX_VALUE_LEN);
        let config = WebSocketConfig::default();
        let config = Some(config.max_message_size(limit).max_frame_size(limit));
        let ((client, _), server) = tokio::try_join!(
            client_async_with_config(URL, client, config),
            accept_async_with_config(server, config),
        )?;
        Ok((client, server))
    }
}

async fn next<S: Pipe>(socket: &mut Socket<S>) -> Result<Bytes> {
    let message = StreamExt::next(socket).await.ok_or("the stream ended")??;
    Ok(message.into_data())
}

impl<V: Value, S: Pipe> Carrier<V> for Socket<S> {
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
