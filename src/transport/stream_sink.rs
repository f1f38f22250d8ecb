//! `StreamSink`: a transport over any `Stream` and `Sink` of messages.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::{Sink, Stream};

use super::{MESSAGES_PER_POLL, MessageTransport, Properties};
use crate::{error::WsErr, message::Message};

/// A [`MessageTransport`] over anything that is a `Stream` and a `Sink` of [`Message`]s: a
/// WebSocket of another crate, behind `map` and `with` of `futures` that convert its messages, or a
/// channel in a test.
///
/// The end of the stream is the end of the transport; closing the sink closes its writing half. The
/// error types of the stream and of the sink convert into [`WsErr`], as `io::Error` does.
///
/// ```
/// use futures::{SinkExt, StreamExt, channel::mpsc, future::ready};
/// use ws_framed::{Lines, Message, Properties, StreamSink, WsErr, WsStream};
/// # use std::{io, pin::Pin, task::{Context, Poll}};
/// # use futures::{Sink, Stream};
/// # /// Two channels that look like one socket.
/// # struct Socket(mpsc::Sender<Vec<u8>>, mpsc::Receiver<Vec<u8>>);
/// # impl Stream for Socket {
/// #     type Item = Vec<u8>;
/// #     fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
/// #         self.1.poll_next_unpin(cx)
/// #     }
/// # }
/// # impl Sink<Vec<u8>> for Socket {
/// #     type Error = io::Error;
/// #     fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
/// #         self.0.poll_ready_unpin(cx).map_err(io::Error::other)
/// #     }
/// #     fn start_send(mut self: Pin<&mut Self>, item: Vec<u8>) -> io::Result<()> {
/// #         self.0.start_send_unpin(item).map_err(io::Error::other)
/// #     }
/// #     fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
/// #         self.0.poll_flush_unpin(cx).map_err(io::Error::other)
/// #     }
/// #     fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
/// #         self.0.poll_close_unpin(cx).map_err(io::Error::other)
/// #     }
/// # }
///
/// # fn wrap(socket: Socket) -> Result<(), WsErr> {
/// // A socket whose messages are vectors of bytes.
/// let messages = socket
///     .map(|data| Ok::<_, WsErr>(Message::Binary(data.into())))
///     .with(|message| {
///         ready(match message {
///             Message::Binary(data) => Ok::<_, WsErr>(data.to_vec()),
///             _ => Ok(Vec::new()),
///         })
///     });
/// let stream = WsStream::new(StreamSink::new(messages));
/// let lines = stream.framed(Lines::new(1024));
/// # drop(lines);
/// # Ok(()) }
/// ```
pub struct StreamSink<S> {
    socket: S,
    properties: Properties,
    /// An error or a close frame was received: what follows is discarded.
    discards: bool,
}

impl<S> StreamSink<S> {
    /// Wraps `socket`. It sends pings and leaves replies to the connection.
    #[must_use]
    pub fn new(socket: S) -> Self {
        Self {
            socket,
            properties: Properties::default(),
            discards: false,
        }
    }

    /// Sets what the socket can do.
    #[must_use]
    pub fn with_properties(mut self, properties: Properties) -> Self {
        self.properties = properties;
        self
    }

    /// The socket.
    pub fn get_ref(&self) -> &S {
        &self.socket
    }

    /// The socket. Messages sent or received through it are not seen by the connection.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// Gives the socket back.
    pub fn into_inner(self) -> S {
        self.socket
    }
}

impl<S: fmt::Debug> fmt::Debug for StreamSink<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSink")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

impl<S, R, E> MessageTransport for StreamSink<S>
where
    S: Stream<Item = Result<Message, R>> + Sink<Message, Error = E> + Unpin,
    R: Into<WsErr>,
    E: Into<WsErr>,
{
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        for _ in 0..MESSAGES_PER_POLL {
            let message = ready!(Pin::new(&mut self.socket).poll_next(cx));
            match message {
                // A socket that has failed may repeat its error each time.
                None | Some(Err(_)) if self.discards => return Poll::Ready(None),
                Some(Ok(_)) if self.discards => {}
                message => {
                    self.discards = matches!(message, Some(Err(_) | Ok(Message::Close(_))));
                    return Poll::Ready(message.map(|message| message.map_err(Into::into)));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Pin::new(&mut self.socket)
            .poll_ready(cx)
            .map_err(Into::into)
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        Pin::new(&mut self.socket)
            .start_send(message)
            .map_err(Into::into)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Pin::new(&mut self.socket)
            .poll_flush(cx)
            .map_err(Into::into)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Pin::new(&mut self.socket)
            .poll_close(cx)
            .map_err(Into::into)
    }

    fn properties(&self) -> Properties {
        self.properties
    }
}
