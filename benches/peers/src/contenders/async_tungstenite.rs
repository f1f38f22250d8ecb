//! `async_tungstenite`, a message for each value; and its `ByteReader` and `ByteWriter`.

use async_tungstenite::{
    ByteReader, ByteWriter, WebSocketReceiver, WebSocketSender, WebSocketStream,
    tokio::{TokioAdapter, accept_async_with_config, client_async_with_config},
    tungstenite::{Message, protocol::WebSocketConfig},
};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Broadcaster, ByteCarrier, Carrier, End, MAX_VALUE_LEN, Pipe, URL};
use crate::{
    Result,
    value::{Value, decode, encode},
};

pub(crate) type Socket<S = TcpStream> = WebSocketStream<TokioAdapter<S>>;

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

/// Encodes for each connection.
impl<V: Value> Broadcaster<V> for Socket {
    async fn send_to_all(ends: &mut [Self], value: &V) -> Result<()> {
        for end in ends {
            end.send(Message::binary(encode(value)?)).await?;
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<V> {
        decode(&next(self).await?)
    }
}

/// Encodes once, and gives every connection a message of the same bytes.
pub(crate) struct EncodingOnce(Socket);

impl End for EncodingOnce {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = Socket::pair().await?;
        Ok((Self(client), Self(server)))
    }
}

impl<V: Value> Broadcaster<V> for EncodingOnce {
    async fn send_to_all(ends: &mut [Self], value: &V) -> Result<()> {
        let bytes = Bytes::from(encode(value)?);
        for end in ends {
            end.0.send(Message::Binary(bytes.clone())).await?;
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<V> {
        decode(&next(&mut self.0).await?)
    }
}

/// Both of its adapters, on the halves of a socket.
pub(crate) struct ByteAdapters {
    writer: ByteWriter<WebSocketSender<TokioAdapter<TcpStream>>>,
    reader: ByteReader<WebSocketReceiver<TokioAdapter<TcpStream>>>,
}

impl ByteAdapters {
    fn new(socket: Socket) -> Self {
        let (sender, receiver) = socket.split();
        Self {
            writer: ByteWriter::new(sender),
            reader: ByteReader::new(receiver),
        }
    }
}

impl End for ByteAdapters {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = Socket::pair().await?;
        Ok((Self::new(client), Self::new(server)))
    }
}

impl ByteCarrier for ByteAdapters {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.writer.write_all(bytes).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(self.writer.flush().await?)
    }

    async fn read(&mut self, buffer: &mut [u8], mut see: impl FnMut(&[u8]) + Send) -> Result<()> {
        let read = self.reader.read(buffer).await?;
        if read == 0 {
            return Err("the stream ended".into());
        }
        see(&buffer[..read]);
        Ok(())
    }
}
