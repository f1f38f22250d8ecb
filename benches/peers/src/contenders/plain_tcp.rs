//! No WebSocket: `tokio_util`'s `LengthDelimitedCodec` on TCP or TLS for values, TCP itself for
//! bytes, with a buffer for writes or without.

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufWriter},
    net::TcpStream,
};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::{Broadcaster, ByteCarrier, Carrier, End, MAX_VALUE_LEN, Pipe, tcp};
use crate::{
    Result,
    value::{Value, decode, encode},
};

pub(crate) type Items<S = TcpStream> = Framed<S, LengthDelimitedCodec>;

impl<S: Pipe> End for Items<S> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = S::pair().await?;
        let codec = || {
            let mut codec = LengthDelimitedCodec::new();
            codec.set_max_frame_length(MAX_VALUE_LEN);
            codec
        };
        Ok((Framed::new(client, codec()), Framed::new(server, codec())))
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

/// As much as the byte stream of this library buffers.
const BUFFER_LEN: usize = 64 * 1024;

/// TCP behind a `BufWriter`.
pub(crate) struct Buffered(BufWriter<TcpStream>);

impl End for Buffered {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = tcp().await?;
        let buffered = |socket| Self(BufWriter::with_capacity(BUFFER_LEN, socket));
        Ok((buffered(client), buffered(server)))
    }
}

impl ByteCarrier for Buffered {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.0.write_all(bytes).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(self.0.flush().await?)
    }

    async fn read(&mut self, buffer: &mut [u8], see: impl FnMut(&[u8]) + Send) -> Result<()> {
        ByteCarrier::read(self.0.get_mut(), buffer, see).await
    }
}

/// A loop that writes the same ready bytes to each socket: the lower bound of a broadcast.
impl<V: Value> Broadcaster<V> for TcpStream {
    async fn send_to_all(ends: &mut [Self], value: &V) -> Result<()> {
        let value = encode(value)?;
        let mut bytes = u32::try_from(value.len())?.to_be_bytes().to_vec();
        bytes.extend_from_slice(&value);
        for end in ends {
            end.write_all(&bytes).await?;
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<V> {
        let mut bytes = vec![0; self.read_u32().await? as usize];
        self.read_exact(&mut bytes).await?;
        decode(&bytes)
    }
}
