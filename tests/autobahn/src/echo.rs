//! Echoes, of messages and of bytes.

use std::{future::poll_fn, str::FromStr, task::Poll};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt},
    net::TcpStream,
};
use ws_framed::{
    Acceptor, CloseCode, CloseFrame, Config, Connector, Deflate, Message, MessageTransport,
    TextPolicy, WsErr, WsStream,
};

use crate::Result;

/// The longest messages of the suite are 16 MiB.
const MAX_MESSAGE_LEN: usize = 16 << 20;

/// What echoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// The transport below the views. Only it can tell text from bytes.
    Messages,
    /// The same, with each message compressed alone: the others take over the context.
    Alone,
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
            "alone" => Ok(Self::Alone),
            "bytes" => Ok(Self::Bytes),
            "reject" => Ok(Self::Reject),
            _ => Err("the views are messages, alone, bytes and reject"),
        }
    }
}

impl View {
    fn config(self) -> Config {
        let text = match self {
            Self::Reject => TextPolicy::Reject,
            Self::Messages | Self::Alone | Self::Bytes => TextPolicy::Bytes,
        };
        let takes_over = self != Self::Alone;
        let deflate = Deflate::default()
            .send_context(takes_over)
            .recv_context(takes_over);
        Config::default()
            .max_recv_message_len(MAX_MESSAGE_LEN)
            .max_send_message_len(MAX_MESSAGE_LEN)
            .text(text)
            .compression(deflate.min_len(0))
    }
}

pub(crate) async fn serve(view: View, socket: TcpStream) -> Result<()> {
    let stream = Acceptor::new().config(view.config()).accept(socket).await?;
    echo(view, stream).await
}

pub(crate) async fn client(view: View, socket: TcpStream, url: &str) -> Result<()> {
    let connector = Connector::new().config(view.config());
    echo(view, connector.connect_over(socket, url).await?).await
}

async fn echo(view: View, stream: WsStream) -> Result<()> {
    match view {
        View::Messages | View::Alone => echo_messages(stream.into_transport().0).await,
        View::Bytes | View::Reject => echo_bytes(stream).await,
    }
}

/// The only message of a connection, which is text.
pub(crate) async fn one_text(socket: TcpStream, url: &str) -> Result<String> {
    let stream = Connector::new().connect_over(socket, url).await?;
    let (mut transport, _) = stream.into_transport();
    let Some(Message::Text(text)) = next(&mut transport).await? else {
        return Err("the message is not text".into());
    };
    finish(&mut transport).await?;
    Ok(text)
}

/// Uses a transport as a connection does, except that messages keep their kind.
async fn echo_messages(mut transport: impl MessageTransport) -> Result<()> {
    let replies = transport.properties().replies;
    loop {
        match next(&mut transport).await {
            Ok(Some(message @ (Message::Text(_) | Message::Binary(_)))) => {
                send(&mut transport, message).await?;
            }
            Ok(Some(Message::Ping(payload))) if !replies => {
                send(&mut transport, Message::Pong(payload)).await?;
            }
            Ok(Some(Message::Close(frame))) => {
                if !replies {
                    // A code that may not be sent gets 1002 (RFC 6455 section 7.4).
                    let reply = match frame {
                        Some(frame) if !frame.code().is_sendable() => {
                            Some(CloseFrame::new(CloseCode::PROTOCOL_ERROR, "")?)
                        }
                        frame => frame,
                    };
                    send(&mut transport, Message::Close(reply)).await?;
                }
                break;
            }
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => {
                if let Some(frame) = close_frame(&error)? {
                    send(&mut transport, Message::Close(Some(frame))).await?;
                }
                break;
            }
        }
    }
    finish(&mut transport).await
}

async fn send(transport: &mut impl MessageTransport, message: Message) -> Result<()> {
    poll_fn(|cx| transport.poll_ready(cx)).await?;
    Ok(transport.start_send(message)?)
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

/// The close frame for an error that is the peer's.
fn close_frame(error: &WsErr) -> Result<Option<CloseFrame>> {
    let code = match error {
        WsErr::Protocol(violation) => violation.code(),
        WsErr::MessageTooLarge { .. } => CloseCode::MESSAGE_TOO_BIG,
        _ => return Ok(None),
    };
    Ok(Some(CloseFrame::new(code, error.to_string())?))
}

/// Flushes what is left, closes, and waits for the peer to do the same.
async fn finish(transport: &mut impl MessageTransport) -> Result<()> {
    poll_fn(|cx| transport.poll_flush(cx)).await?;
    poll_fn(|cx| transport.poll_close(cx)).await?;
    while poll_fn(|cx| transport.poll_next(cx)).await.is_some() {}
    Ok(())
}

/// Sends what a message carried in a message of its own, which a byte stream need not do, but the
/// suite expects.
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
