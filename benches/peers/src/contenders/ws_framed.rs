//! This library: `connect` and `accept`, over TCP and with its own TLS, the item stream with
//! `Bincode`, the byte stream; and the item stream with `Json`, compressed.

use futures::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt},
    net::TcpListener,
};
use ws_framed::{Acceptor, Bincode, Config, Connector, Deflate, Encoded, Json, WsFramed, WsStream};

use super::{
    Broadcaster, ByteCarrier, COMPRESSION_LEVEL, Carrier, End, MAX_VALUE_LEN, MIN_COMPRESSED_LEN,
    Pipe, URL, counted::Counted, tcp, tls,
};
use crate::{Result, value::Value};

impl End for WsStream {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = tcp().await?;
        let (connector, acceptor) = (Connector::new(), Acceptor::new());
        let client = connector.connect_over(client, URL);
        Ok(tokio::try_join!(client, acceptor.accept(server))?)
    }
}

impl<V: Value> End for WsFramed<V> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = WsStream::pair().await?;
        Ok((
            client.framed(Bincode::new(MAX_VALUE_LEN)),
            server.framed(Bincode::new(MAX_VALUE_LEN)),
        ))
    }
}

impl<V: Value> Carrier<V> for WsFramed<V> {
    async fn feed(&mut self, value: V) -> Result<()> {
        Ok(SinkExt::feed(self, value).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(SinkExt::flush(self).await?)
    }

    async fn next(&mut self) -> Result<V> {
        Ok(StreamExt::next(self).await.ok_or("the stream ended")??)
    }

    /// A read that would wait flushes.
    async fn next_flushed(&mut self) -> Result<V> {
        Carrier::next(self).await
    }
}

/// An item stream over the TLS of this library.
pub(crate) struct Secure<V>(WsFramed<V>);

impl<V: Value> End for Secure<V> {
    async fn pair() -> Result<(Self, Self)> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("wss://localhost:{}/", listener.local_addr()?.port());
        let configs = tls::configs()?;
        let acceptor = Acceptor::new().tls(configs.server.clone());
        let connector = Connector::new().tls(configs.client.clone());
        let accepted = async {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            crate::Result::Ok(acceptor.accept(socket).await?)
        };
        let connected = async { crate::Result::Ok(connector.connect(url).await?) };
        let (client, server) = tokio::try_join!(connected, accepted)?;
        Ok((
            Self(client.framed(Bincode::new(MAX_VALUE_LEN))),
            Self(server.framed(Bincode::new(MAX_VALUE_LEN))),
        ))
    }
}

impl<V: Value> Carrier<V> for Secure<V> {
    async fn feed(&mut self, value: V) -> Result<()> {
        Carrier::feed(&mut self.0, value).await
    }

    async fn flush(&mut self) -> Result<()> {
        Carrier::flush(&mut self.0).await
    }

    async fn next(&mut self) -> Result<V> {
        Carrier::next(&mut self.0).await
    }
}

/// An item stream with `Json` and permessage-deflate, packed or with a message for each value.
pub(crate) struct Compressed<V, const PACKED: bool, const CONTEXT: bool>(WsFramed<V, Json<V>>);

impl<V: Value, const PACKED: bool, const CONTEXT: bool> End for Compressed<V, PACKED, CONTEXT> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = Counted::pair().await?;
        let deflate = Deflate::default()
            .level(COMPRESSION_LEVEL)
            .min_len(MIN_COMPRESSED_LEN)
            .send_context(CONTEXT)
            .recv_context(CONTEXT);
        let config = Config::default().compression(deflate);
        let connector = Connector::new().config(config.clone());
        let acceptor = Acceptor::new().config(config);
        let client = connector.connect_over(client, URL);
        let (client, server) = tokio::try_join!(client, acceptor.accept(server))?;
        let framed = |stream: WsStream| {
            let agreed = stream.compression().ok_or("nothing was agreed on")?;
            if [agreed.send_context, agreed.recv_context] != [CONTEXT; 2] {
                return Err("something else was agreed on".into());
            }
            let codec = Json::new(MAX_VALUE_LEN);
            Result::Ok(Self(if PACKED {
                stream.framed(codec)
            } else {
                stream.per_message(codec)
            }))
        };
        Ok((framed(client)?, framed(server)?))
    }
}

impl<V: Value, const PACKED: bool, const CONTEXT: bool> Carrier<V>
    for Compressed<V, PACKED, CONTEXT>
{
    async fn feed(&mut self, value: V) -> Result<()> {
        Ok(SinkExt::feed(&mut self.0, value).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(SinkExt::flush(&mut self.0).await?)
    }

    async fn next(&mut self) -> Result<V> {
        Ok(StreamExt::next(&mut self.0)
            .await
            .ok_or("the stream ended")??)
    }
}

impl ByteCarrier for WsStream {
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
        self.consume(seen);
        Ok(())
    }
}

/// Encodes once, for all.
impl<V: Value> Broadcaster<V> for WsFramed<V> {
    async fn send_to_all(ends: &mut [Self], value: &V) -> Result<()> {
        let once = Encoded::from_ref(&mut Bincode::new(MAX_VALUE_LEN), value)?;
        for end in ends {
            end.feed_encoded(&once).await?;
            SinkExt::flush(end).await?;
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<V> {
        Carrier::next(self).await
    }
}

/// Encodes for each of them, by reference.
pub(crate) struct EncodingEach<V>(WsFramed<V>);

impl<V: Value> End for EncodingEach<V> {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = WsFramed::pair().await?;
        Ok((Self(client), Self(server)))
    }
}

impl<V: Value> Broadcaster<V> for EncodingEach<V> {
    async fn send_to_all(ends: &mut [Self], value: &V) -> Result<()> {
        for Self(end) in ends {
            end.feed_ref(value).await?;
            SinkExt::flush(end).await?;
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<V> {
        Carrier::next(&mut self.0).await
    }
}
