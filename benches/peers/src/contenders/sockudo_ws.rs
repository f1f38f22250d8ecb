//! `sockudo_ws`, a message for each value or write. It gets the bare socket after the handshake, as
//! in its own examples, and holds what is fed in its cork buffer. Compressed, it sends JSON as
//! text.

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use sockudo_ws::{CompressedWebSocketStream, Config, DeflateConfig, Message, WebSocketStream};
use tokio::net::TcpStream;

use super::{
    Broadcaster, ByteCarrier, COMPRESSION_LEVEL, Carrier, End, MAX_VALUE_LEN, MIN_COMPRESSED_LEN,
    Pipe, counted::Counted,
};
use crate::{
    Result,
    value::{Value, decode, encode},
};

pub(crate) type Socket<S = TcpStream> = WebSocketStream<S>;

impl<S: Pipe> End for Socket<S> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = S::pair().await?;
        Ok((
            Self::client(client, config()),
            Self::server(server, config()),
        ))
    }
}

fn config() -> Config {
    Config::builder()
        .max_message_size(MAX_VALUE_LEN)
        .max_frame_size(MAX_VALUE_LEN)
        .build()
}

async fn next<S: Pipe>(socket: &mut Socket<S>) -> Result<Bytes> {
    match StreamExt::next(socket).await.ok_or("the stream ended")?? {
        Message::Binary(payload) => Ok(payload),
        other => Err(format!("{other:?} came").into()),
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
        decode(&next(self).await?)
    }

    /// It flushes before a read that has to wait, and asks for no more than that.
    async fn next_flushed(&mut self) -> Result<V> {
        Carrier::next(self).await
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

/// Encodes once, and gives every connection a message of the same bytes.
impl<V: Value> Broadcaster<V> for Socket {
    async fn send_to_all(ends: &mut [Self], value: &V) -> Result<()> {
        let bytes = Bytes::from(encode(value)?);
        for end in ends {
            end.send(Message::Binary(bytes.clone())).await?;
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<V> {
        Carrier::next(self).await
    }
}

/// JSON in messages of text, compressed.
pub(crate) struct Compressed<const CONTEXT: bool>(CompressedWebSocketStream<Counted>);

impl<const CONTEXT: bool> End for Compressed<CONTEXT> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = Counted::pair().await?;
        let deflate = DeflateConfig {
            server_no_context_takeover: !CONTEXT,
            client_no_context_takeover: !CONTEXT,
            compression_level: COMPRESSION_LEVEL.into(),
            compression_threshold: MIN_COMPRESSED_LEN,
            ..DeflateConfig::default()
        };
        let client = CompressedWebSocketStream::client(client, config(), deflate.clone());
        let server = CompressedWebSocketStream::server(server, config(), deflate);
        Ok((Self(client), Self(server)))
    }
}

impl<const CONTEXT: bool, V: Value> Carrier<V> for Compressed<CONTEXT> {
    async fn feed(&mut self, value: V) -> Result<()> {
        let message = Message::Text(serde_json::to_vec(&value)?.into());
        Ok(SinkExt::feed(&mut self.0, message).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(SinkExt::flush(&mut self.0).await?)
    }

    async fn next(&mut self) -> Result<V> {
        match StreamExt::next(&mut self.0)
            .await
            .ok_or("the stream ended")??
        {
            Message::Text(text) => Ok(serde_json::from_slice(&text)?),
            other => Err(format!("{other:?} came").into()),
        }
    }
}
