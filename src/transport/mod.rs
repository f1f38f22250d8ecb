//! Whatever moves whole messages: the seam below the link.

use std::{
    fmt,
    task::{Context, Poll},
};

use crate::{error::WsErr, message::Message};

#[cfg(target_arch = "wasm32")]
pub(crate) mod browser;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub(crate) mod meter;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub(crate) mod opened;
#[cfg(all(feature = "tokio-tungstenite", not(target_arch = "wasm32")))]
mod tokio_tungstenite;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub(crate) mod tungstenite;

/// How many bytes of pongs the link lets a transport owe, but for the last of them, before it reads on. No honest
/// peer that does not read comes near.
pub(crate) const MAX_PONGS_OWED: usize = 16 * 1024;

/// Moves whole WebSocket messages. Implement it to bring a WebSocket of your own: [a whole one](crate::guide::custom_transport)
/// is in the guide.
///
/// # What a transport owes
/// - **One waker.** All polls come with the same waker, which wakes whoever uses the link. Remember the
///   last one you saw; there is no need for one a direction.
/// - **Answers.** It answers pings, and the peer's close frame, by itself: the answer is queued when the
///   message is handed out and goes to the wire with the next [`poll_flush`](Self::poll_flush) or
///   [`poll_next`](Self::poll_next).
/// - **The protocol.** A violation, a message over a limit of its own, text that is not UTF-8: an error
///   from [`poll_next`](Self::poll_next), as [`WsErr::Protocol`] or [`WsErr::MessageTooLarge`].
/// - **Bounded memory.** It refuses readiness while much is unsent, and queues no answers without bound.
///
/// # What the link does
/// It calls [`start_send`](Self::start_send) once after each ready [`poll_ready`](Self::poll_ready), with
/// data messages of at most [`max_send_len`](Self::max_send_len) bytes and with control messages that are
/// valid. After [`Message::Close`] in either direction it sends no more data. It calls
/// [`poll_shutdown`](Self::poll_shutdown) until it is ready once, and not after that.
///
/// # Writing one
/// `examples/custom_transport.rs` is a complete one in less than 60 lines, for anything that is a stream and a sink of
/// messages, with the traffic that it has to stand. In short:
/// 1. [`poll_next`](Self::poll_next) keeps the answer to a ping, or to the peer's close frame, and gives the message to
///    the link, which reports it, and flushes.
/// 2. [`poll_ready`](Self::poll_ready) and [`start_send`](Self::start_send) are those of a sink.
/// 3. [`poll_flush`](Self::poll_flush) sends the answers.
/// 4. [`poll_shutdown`](Self::poll_shutdown) flushes, and closes the writing half.
///
/// Limits, keepalive, packing, the deadlines of closing and the events are the link's business. Say what you know in
/// the methods with a body: each makes the link surer of something.
pub trait MessageTransport {
    /// The next message; `None` when the transport has ended, with or without a close frame before.
    ///
    /// After an error it hands out no more messages; what still arrives is for [`poll_discard`](Self::poll_discard).
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>>;

    /// What still comes when it is decided how the link ends, to be thrown away: so a close frame that we send after a
    /// violation is not lost to a reset. `None` at the end.
    ///
    /// By default this is [`poll_next`](Self::poll_next). A transport that can throw bytes away without making messages of
    /// them does better: it needs to answer nothing of it, and a peer that ends its stream early does not keep it from
    /// sending our close frame.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        self.poll_next(cx)
    }

    /// Ready when there is room for one more message.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>>;

    /// Takes a message. It may stay in a buffer until [`poll_flush`](Self::poll_flush).
    fn start_send(&mut self, message: Message) -> Result<(), WsErr>;

    /// Ready when everything taken, and every answer, has been handed to what lies below.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>>;

    /// Comes after [`poll_flush`](Self::poll_flush) when the peer has closed, and the end is told only when it is ready. It is
    /// for transports that hand their answer to a close frame to something below that buffers, and do not flush that with
    /// everything else. By default there is nothing to do.
    fn poll_flush_answer(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }

    /// Flushes and closes what lies below, its writing half where it has two. Reading may go on. It comes
    /// after a last [`poll_flush`](Self::poll_flush), unless that did not get ready in time.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>>;

    /// How many bytes have come in, below whole messages, if the transport can tell: the finest sign of
    /// life.
    fn bytes_received(&self) -> Option<u64> {
        None
    }

    /// How many bytes of payload have come of a data message that has begun and is not complete, if there is one and the
    /// transport can tell. Without it, [`Config::message_timeout`](crate::Config::message_timeout) has no effect.
    fn unfinished_message(&self) -> Option<u64> {
        None
    }

    /// How many bytes have gone out, below whole messages, if the transport can tell: the finest sign that
    /// a peer takes what is written.
    fn bytes_sent(&self) -> Option<u64> {
        None
    }

    /// The longest data message that may be given to [`start_send`](Self::start_send), in bytes.
    fn max_send_len(&self) -> Option<usize> {
        None
    }

    /// Whether it can send pings.
    fn can_ping(&self) -> bool {
        true
    }
}

/// `Send` on native targets; anything in a browser, where nothing is shared between threads.
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSend: Send {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send> MaybeSend for T {}

/// `Send` on native targets; anything in a browser, where nothing is shared between threads.
#[cfg(target_arch = "wasm32")]
pub trait MaybeSend {}
#[cfg(target_arch = "wasm32")]
impl<T> MaybeSend for T {}

#[cfg(not(target_arch = "wasm32"))]
type Dyn = dyn MessageTransport + Send;
#[cfg(target_arch = "wasm32")]
type Dyn = dyn MessageTransport;

/// Any transport, behind one type, so that `WsStream` and `WsFramed<Chat>` are names for a struct field.
/// It costs one virtual call a message. `Send` on native targets only.
pub struct BoxTransport(Box<Dyn>);

impl BoxTransport {
    /// Boxes `transport`. [`WsStream::boxed`](crate::WsStream::boxed) does it for an open link.
    pub fn new(transport: impl MessageTransport + MaybeSend + 'static) -> Self {
        Self(Box::new(transport))
    }
}

impl fmt::Debug for BoxTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxTransport").finish_non_exhaustive()
    }
}

impl MessageTransport for BoxTransport {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        self.0.poll_next(cx)
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        self.0.poll_discard(cx)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.0.poll_ready(cx)
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        self.0.start_send(message)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.0.poll_flush(cx)
    }

    fn poll_flush_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.0.poll_flush_answer(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.0.poll_shutdown(cx)
    }

    fn bytes_received(&self) -> Option<u64> {
        self.0.bytes_received()
    }

    fn unfinished_message(&self) -> Option<u64> {
        self.0.unfinished_message()
    }

    fn bytes_sent(&self) -> Option<u64> {
        self.0.bytes_sent()
    }

    fn max_send_len(&self) -> Option<usize> {
        self.0.max_send_len()
    }

    fn can_ping(&self) -> bool {
        self.0.can_ping()
    }
}
