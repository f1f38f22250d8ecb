//! Transports of the caller: what the connection does for them, and what it leaves to them.

use std::{
    collections::VecDeque,
    io::ErrorKind,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use futures::{AsyncReadExt, AsyncWriteExt, executor::block_on};
use support::{
    config_without_keepalive, describe, observe, poll_until_idle, read_to_end, timeout, ws_error,
};
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, ClosedBy, Message, MessageTransport, Properties, WsErr,
    WsStream,
};

/// A transport that receives what a test puts into it, and records what it is asked to do.
#[derive(Clone, Debug)]
struct Recorder(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    properties: Properties,
    received: VecDeque<Message>,
    /// No more is received.
    ended: bool,
    /// There is no room for a message.
    blocked: bool,
    sent: Vec<Message>,
    flushes: usize,
    closed: bool,
    waker: Waker,
}

impl Recorder {
    fn new(properties: Properties) -> Self {
        Self(Arc::new(Mutex::new(State {
            properties,
            received: VecDeque::new(),
            ended: false,
            blocked: false,
            sent: Vec::new(),
            flushes: 0,
            closed: false,
            waker: Waker::noop().clone(),
        })))
    }

    fn stream(&self) -> WsStream {
        let stream = WsStream::with_config(self.clone(), config_without_keepalive());
        stream.unwrap().boxed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn receive(&self, messages: impl IntoIterator<Item = Message>) {
        let mut state = self.lock();
        state.received.extend(messages);
        state.waker.wake_by_ref();
    }

    fn set_blocked(&self, blocked: bool) {
        let mut state = self.lock();
        state.blocked = blocked;
        state.waker.wake_by_ref();
    }

    fn end(&self) {
        self.lock().ended = true;
    }

    /// What was sent since the last call.
    fn take_sent(&self) -> Vec<Message> {
        std::mem::take(&mut self.lock().sent)
    }
}

impl MessageTransport for Recorder {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        let mut state = self.lock();
        state.waker.clone_from(cx.waker());
        match state.received.pop_front() {
            Some(message) => Poll::Ready(Some(Ok(message))),
            None if state.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let mut state = self.lock();
        state.waker.clone_from(cx.waker());
        if state.blocked {
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        self.lock().sent.push(message);
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.lock().flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.lock().closed = true;
        Poll::Ready(Ok(()))
    }

    fn properties(&self) -> Properties {
        self.lock().properties
    }
}

fn ping(payload: &str) -> Message {
    Message::Ping(payload.as_bytes().try_into().unwrap())
}

fn pong(payload: &str) -> Message {
    Message::Pong(payload.as_bytes().try_into().unwrap())
}

fn close(code: u16, reason: &str) -> Message {
    Message::Close(Some(CloseFrame::from_peer(CloseCode::from(code), reason)))
}

/// The codes of close frames; panics at other messages.
fn close_codes(messages: &[Message]) -> Vec<Option<u16>> {
    let code = |message: &Message| match message {
        Message::Close(frame) => frame.as_ref().map(|frame| frame.code().into()),
        other => panic!("{other:?} is no close frame"),
    };
    messages.iter().map(code).collect()
}

/// Polls a read until it waits.
fn read_nothing(ours: &mut WsStream) {
    assert!(poll_until_idle(pin!(ours.read(&mut [0; 8]))).is_pending());
}

/// While writes are blocked, the connection keeps the newest ping only, and answers that.
#[test]
fn newest_ping_is_answered() {
    let transport = Recorder::new(Properties::default());
    let mut ours = transport.stream();
    let mut events = block_on(observe(&mut ours));
    transport.set_blocked(true);
    transport.receive(["1", "2"].map(ping));
    read_nothing(&mut ours);
    transport.receive([ping("3")]);
    read_nothing(&mut ours);
    assert!(transport.take_sent().is_empty());
    transport.set_blocked(false);
    read_nothing(&mut ours);
    assert_eq!(transport.take_sent(), [pong("3")]);
    assert_eq!(describe(&mut events), ["ping 1", "ping 2", "ping 3"]);
    assert_eq!(ours.handle().stats().pings_received, 3);
    // Not blocked any more, each later ping is answered.
    for payload in ["4", "5"] {
        transport.receive([ping(payload)]);
        read_nothing(&mut ours);
        assert_eq!(transport.take_sent(), [pong(payload)]);
    }
}

/// The connection sends no pong for a transport that replies by itself, but flushes it.
#[test]
fn replying_transport_is_flushed() {
    let transport = Recorder::new(Properties::default().replies(true));
    let mut ours = transport.stream();
    read_nothing(&mut ours);
    let before = transport.lock().flushes;
    transport.receive(["1", "2"].map(ping));
    read_nothing(&mut ours);
    assert!(transport.take_sent().is_empty());
    assert!(transport.lock().flushes > before, "no flush for the pongs");
    assert_eq!(ours.handle().stats().pings_received, 2);
}

/// The connection echoes the code of the peer's close frame, if there is one, and closes the
/// transport.
#[test]
fn close_code_is_echoed() {
    for (frame, reply) in [
        (close(1000, "done"), Some(1000)),
        (close(4999, ""), Some(4999)),
        (Message::Close(None), None),
    ] {
        let transport = Recorder::new(Properties::default());
        let mut ours = transport.stream();
        transport.receive([frame]);
        transport.end();
        block_on(timeout(read_to_end(&mut ours))).1.unwrap();
        assert_eq!(close_codes(&transport.take_sent()), [reply]);
        assert!(transport.lock().closed);
        let outcome = block_on(ours.handle().closed());
        let CloseOutcome::Clean { by, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(by, ClosedBy::Peer);
    }
}

/// A code that may not be sent, from a transport that passes it on, is answered with 1002, and is
/// no clean end.
#[test]
fn reserved_code_is_answered_with_1002() {
    for code in [1006, 1015, 0] {
        let transport = Recorder::new(Properties::default());
        let mut ours = transport.stream();
        transport.receive([close(code, "lost")]);
        transport.end();
        let (_, end) = block_on(timeout(read_to_end(&mut ours)));
        assert_eq!(close_codes(&transport.take_sent()), [Some(1002)], "{code}");
        let error = end.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
        let WsErr::Aborted(frame) = ws_error(&error) else {
            panic!("{error:?}");
        };
        assert_eq!(u16::from(frame.code()), code);
    }
}

/// The connection sends no close frame for a transport that replies by itself, but flushes and
/// closes it. Its own close frame it does send.
#[test]
fn replying_transport_is_closed() {
    let transport = Recorder::new(Properties::default().replies(true));
    let mut ours = transport.stream();
    transport.receive([close(4000, "done")]);
    transport.end();
    block_on(timeout(read_to_end(&mut ours))).1.unwrap();
    assert!(transport.take_sent().is_empty());
    assert!(transport.lock().flushes > 0);
    assert!(transport.lock().closed);

    let transport = Recorder::new(Properties::default().replies(true));
    let mut ours = transport.stream();
    block_on(timeout(ours.close())).unwrap();
    assert_eq!(close_codes(&transport.take_sent()), [Some(1000)]);
    transport.receive([close(1000, "")]);
    transport.end();
    block_on(timeout(read_to_end(&mut ours))).1.unwrap();
    assert!(transport.take_sent().is_empty());
}

/// A ping of a handle is `Unsupported` where the transport cannot send pings.
#[test]
fn ping_may_be_unsupported() {
    let transport = Recorder::new(Properties::default().can_ping(false));
    let ours = transport.stream();
    let ping = block_on(ours.handle().ping());
    assert!(matches!(ping, Err(WsErr::Unsupported(_))), "{ping:?}");
}

/// By default `poll_send_slice` copies at most `max_send_len` bytes into one message, once there is
/// room.
#[test]
fn default_send_slice_is_bounded() {
    for (max, taken) in [(1, 1), (4, 4), (10, 10), (11, 10), (usize::MAX, 10)] {
        let mut transport = Recorder::new(Properties::default().max_send_len(max));
        let cx = &mut Context::from_waker(Waker::noop());
        transport.set_blocked(true);
        assert!(transport.poll_send_slice(cx, b"ten bytes.").is_pending());
        assert!(transport.take_sent().is_empty());
        transport.set_blocked(false);
        let Poll::Ready(sent) = transport.poll_send_slice(cx, b"ten bytes.") else {
            panic!("there is room");
        };
        assert_eq!(sent.unwrap(), taken, "of at most {max}");
        let expected = Message::Binary(b"ten bytes."[..taken].to_vec().into());
        assert_eq!(transport.take_sent(), [expected]);
    }
}

/// The connection sends no data message longer than `max_send_len`, whatever
/// `max_send_message_len` is.
#[test]
fn max_send_len_bounds_messages() {
    let transport = Recorder::new(Properties::default().max_send_len(4));
    let mut ours = transport.stream();
    block_on(timeout(async {
        ours.write_all(b"ten bytes.").await.unwrap();
        ours.flush().await.unwrap();
    }));
    let parts = ["ten ", "byte", "s."].map(|part| Message::Binary(part.into()));
    assert_eq!(transport.take_sent(), parts);
}
