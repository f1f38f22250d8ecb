//! No WebSocket: `tokio_util`'s `LengthDelimitedCodec` on TCP for values, TCP itself for bytes.

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::{ByteCarrier, Carrier, End, tcp};
use crate::{
    Result,
    value::{Value, decode, encode},
};

pub(crate) type Items = Framed<TcpStream, LengthDelimitedCodec>;

impl End for Items {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = tcp().await?;
        Ok((
            Framed::new(client, LengthDelimitedCodec::new()),
            Framed::new(server, LengthDelimitedCodec::new()),
        ))
    }
}

impl<V: Value> Carrier<V> for Items {
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

impl End for TcpStream {
    async fn pair() -> Result<(Self, Self)> {
        tcp().await
    }
}

impl ByteCarrier for TcpStream {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.write_all(bytes).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(AsyncWriteExt::flush(self).await?)
    }

    async fn read(&mut self, buffer: &mut [u8], mut see: impl FnMut(&[u8]) + Send) -> Result<()> {
        let read = AsyncReadExt::read(self, buffer).await?;
        if read == 0 {
            return Err("the stream ended".into());
        }
        see(&buffer[..read]);
        Ok(())
    }
}
