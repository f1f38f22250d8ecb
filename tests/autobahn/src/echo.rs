//! Echoes, of messages and of bytes.

use std::{future::poll_fn, str::FromStr, task::Poll};

use async_tungstenite::{
    accept_async_with_config, client_async_with_config, tokio::TokioAdapter,
    tungstenite::protocol::WebSocketConfig,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt},
    net::TcpStream,
};
use ws_framed::{
    Acceptor, CloseCode, CloseFrame, Config, Connector, Message, MessageTransport, TextPolicy,
    WsErr, WsStream,
};

use crate::Result;

/// The longest messages of the suite are 16 MiB.
const MAX_MESSAGE_LEN: usize = 16 << 20;

/// What echoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// The transport below the views. Only it can tell text from bytes.
    Messages,
    /// The byte view, text being bytes like any other.
    Bytes,
    /// The byte view, text being an error.
    Reject,
}

impl FromStr for View {
    type Err = &'static str;

    fn from_str(name: &str) -> std::result::Result<Self, Self::Err> {
        match name {
            "messages" => Ok(Self::Messages),
            "bytes" => Ok(Self::Bytes),
            "reject" => Ok(Self::Reject),
            _ => Err("the views are messages, bytes and reject"),
        }
    }
}

impl View {
    fn config(self) -> Config {
        let text = match self {
            Self::Reject => TextPolicy::Reject,
            Self::Messages | Self::Bytes => TextPolicy::Bytes,
        };
        Config::default()
            .max_recv_message_len(MAX_MESSAGE_LEN)
            .max_send_message_len(MAX_MESSAGE_LEN)
            .text(text)
    }
}

fn engine_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_LEN))
        .max_frame_size(Some(MAX_MESSAGE_LEN))
}

pub(crate) async fn serve(view: View, socket: TcpStream) -> Result<()> {
    if view == View::Messages {
        let io = TokioAdapter::new(socket);
        return echo_messages(accept_async_with_config(io, Some(engine_config())).await?).await;
    }
    let acceptor = Acceptor::new().config(view.config());
    echo_bytes(acceptor.accept(socket).await?).await
}

pub(crate) async fn client(view: View, socket: TcpStream, url: &str) -> Result<()> {
    if view == View::Messages {
        let io = TokioAdapter::new(socket);
        let (stream, _) = client_async_with_config(url, io, Some(engine_config())).await?;
        return echo_messages(stream).await;
    }
    let connector = Connector::new().config(view.config());
    echo_bytes(connector.connect_over(socket, url).await?).await
}

/// The only message of a connection, which is text.
pub(crate) async fn one_text(socket: TcpStream, url: &str) -> Result<String> {
    let (mut stream, _) = client_async_with_config(url, TokioAdapter::new(socket), None).await?;
    let Some(Message::Text(text)) = next(&mut stream).await? else {
        return Err("that was no text".into());
    };
    finish(&mut stream).await?;
    Ok(text)
}

/// Uses a transport as a link does, but that messages keep their kind.
async fn echo_messages(mut transport: impl MessageTransport) -> Result<()> {
    loop {
        match next(&mut transport).await {
            Ok(Some(message @ (Message::Text(_) | Message::Binary(_)))) => {
                poll_fn(|cx| transport.poll_ready(cx)).await?;
                transport.start_send(message)?;
            }
            // Answered by the transport, and flushed before the next message is waited for.
            Ok(Some(Message::Ping(_) | Message::Pong(_))) => {}
            Ok(_) => break,
            Err(error) => {
                if let Some(frame) = farewell(&error)? {
                    poll_fn(|cx| transport.poll_ready(cx)).await?;
                    transport.start_send(Message::Close(Some(frame)))?;
                }
                break;
            }
        }
    }
    finish(&mut transport).await
}

/// The next message. Before it is waited for, everything that is to be sent is flushed.
async fn next(
    transport: &mut impl MessageTransport,
) -> std::result::Result<Option<Message>, WsErr> {
    poll_fn(|cx| match transport.poll_next(cx) {
        Poll::Pending => match transport.poll_flush(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        },
        Poll::Ready(next) => Poll::Ready(next.transpose()),
    })
    .await
}

/// How the peer is told what it did wrong.
fn farewell(error: &WsErr) -> Result<Option<CloseFrame>> {
    let code = match error {
        WsErr::Protocol(violation) => violation.code(),
        WsErr::MessageTooLarge { .. } => CloseCode::TOO_LARGE,
        _ => return Ok(None),
    };
    Ok(Some(CloseFrame::new(code, error.to_string())?))
}

/// Flushes what is left, closes, and waits for the peer to do the same.
async fn finish(transport: &mut impl MessageTransport) -> Result<()> {
    poll_fn(|cx| transport.poll_flush(cx)).await?;
    poll_fn(|cx| transport.poll_shutdown(cx)).await?;
    while poll_fn(|cx| transport.poll_next(cx)).await.is_some() {}
    Ok(())
}

/// Sends what a message carried in a message of its own, which a byte stream need not do, but the suite
/// expects.
async fn echo_bytes(mut stream: WsStream) -> Result<()> {
    loop {
        let data = stream.fill_buf().await?.to_vec();
        if data.is_empty() {
            return Ok(());
        }
        stream.consume(data.len());
        stream.write_all(&data).await?;
        stream.flush().await?;
    }
}
