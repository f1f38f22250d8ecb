//! `ws_stream_tungstenite` under `asynchronous_codec::Framed`, with the latter's own `LengthCodec`;
//! and with a codec written for the purpose, which encodes into the buffer as this library does,
//! without its guards against hostile frames.

use std::io;

use asynchronous_codec::{BytesMut, Decoder, Encoder, Framed, LengthCodec};
use bincode::config::standard;
use bytes::{Buf, BufMut, Bytes};
use futures::{AsyncBufReadExt, AsyncWriteExt, SinkExt, StreamExt};
use older_async_tungstenite::{
    tokio::{TokioAdapter, accept_async_with_config, client_async_with_config},
    tungstenite::protocol::WebSocketConfig,
};
use tokio::net::TcpStream;
use ws_stream_tungstenite::WsStream;

use super::{ByteCarrier, Carrier, End, MAX_VALUE_LEN, Pipe, URL};
use crate::{
    Result,
    value::{Value, decode, encode},
};

pub(crate) type Stream<S = TcpStream> = WsStream<TokioAdapter<S>>;

impl<S: Pipe> End for Stream<S> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = S::pair().await?;
        let limit = Some(MAX_VALUE_LEN);
        let config = WebSocketConfig::default();
        let config = Some(config.max_message_size(limit).max_frame_size(limit));
        let ((client, _), server) = tokio::try_join!(
            client_async_with_config(URL, client, config),
            accept_async_with_config(server, config),
        )?;
        Ok((WsStream::new(client), WsStream::new(server)))
    }
}

impl ByteCarrier for Stream {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(AsyncWriteExt::write_all(self, bytes).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(AsyncWriteExt::flush(self).await?)
    }

    async fn read(&mut self, _: &mut [u8], mut see: impl FnMut(&[u8]) + Send) -> Result<()> {
        let bytes = self.fill_buf().await?;
        if bytes.is_empty() {
            return Err("the stream ended".into());
        }
        see(bytes);
        let seen = bytes.len();
        self.consume_unpin(seen);
        Ok(())
    }
}

pub(crate) type Items<S = TcpStream> = Framed<Stream<S>, LengthCodec>;

impl<S: Pipe> End for Items<S> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = Stream::<S>::pair().await?;
        Ok((
            Framed::new(client, LengthCodec),
            Framed::new(server, LengthCodec),
        ))
    }
}

impl<V: Value, S: Pipe> Carrier<V> for Items<S> {
    async fn feed(&mut self, value: V) -> Result<()> {
        Ok(SinkExt::feed(self, Bytes::from(encode(&value)?)).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(SinkExt::<Bytes>::flush(self).await?)
    }

    async fn next(&mut self) -> Result<V> {
        decode(&StreamExt::next(self).await.ok_or("the stream ended")??)
    }
}

pub(crate) type WithOwnCodec<V> = Framed<Stream, Codec<V>>;

/// A length, then bincode.
pub(crate) struct Codec<V>(std::marker::PhantomData<fn() -> V>);

impl<V: Value> Encoder for Codec<V> {
    type Item<'a> = V;
    type Error = io::Error;

    fn encode(&mut self, value: V, buffer: &mut BytesMut) -> io::Result<()> {
        let start = buffer.len();
        buffer.put_u32(0);
        bincode::serde::encode_into_std_write(value, &mut buffer.writer(), standard())
            .map_err(io::Error::other)?;
        let len = u32::try_from(buffer.len() - start - 4).map_err(io::Error::other)?;
        buffer[start..start + 4].copy_from_slice(&len.to_be_bytes());
        Ok(())
    }
}

impl<V: Value> Decoder for Codec<V> {
    type Item = V;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<V>> {
        let Some(prefix) = buffer.first_chunk::<4>() else {
            return Ok(None);
        };
        let end = u32::from_be_bytes(*prefix) as usize + 4;
        if buffer.len() < end {
            buffer.reserve(end - buffer.len());
            return Ok(None);
        }
        let (value, _) = bincode::serde::decode_from_slice(&buffer[4..end], standard())
            .map_err(io::Error::other)?;
        buffer.advance(end);
        Ok(Some(value))
    }
}

impl<V: Value> End for WithOwnCodec<V> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = Stream::<TcpStream>::pair().await?;
        Ok((
            Framed::new(client, Codec(std::marker::PhantomData)),
            Framed::new(server, Codec(std::marker::PhantomData)),
        ))
    }
}

impl<V: Value> Carrier<V> for WithOwnCodec<V> {
    async fn feed(&mut self, value: V) -> Result<()> {
        Ok(SinkExt::feed(self, value).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(SinkExt::<V>::flush(self).await?)
    }

    async fn next(&mut self) -> Result<V> {
        Ok(StreamExt::next(self).await.ok_or("the stream ended")??)
    }
}
