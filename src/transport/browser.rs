//! The browser's `WebSocket` as a [`MessageTransport`].
//!
//! It is built on `web-sys`. The crates above `web-sys` do not let their users choose what this
//! module has to: how much may queue in either direction, which close codes are sent, and when
//! handlers are detached.
//!
//! `WebSocketStream`, which could pause the receiving side, exists in one family of browsers only,
//! and its close frames are promises rather than messages. So the queue here is bounded instead,
//! and a connection that overflows it fails.

mod recv_queue;

use std::{
    cell::RefCell,
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent, WebSocket};

use self::recv_queue::{RecvQueue, update};
use super::{MessageTransport, Properties};
use crate::{
    close::{CloseCode, CloseFrame},
    config::Config,
    error::{Unsupported, WsErr},
    message::Message,
    time::Timer,
};

/// No more is sent while the browser holds this many unsent bytes.
const MAX_BUFFERED: u32 = 256 * 1024;

/// The interval between two checks for room in the browser's buffer, which no event reports. Each
/// check that finds none doubles it.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(2);
const MAX_POLL_INTERVAL: Duration = Duration::from_millis(64);

/// A `WebSocket` of the browser's whose handshake is complete.
pub(crate) struct Browser {
    socket: WebSocket,
    queue: Rc<RefCell<RecvQueue>>,
    /// While there is no room: the timer of the next check, and its interval.
    poll_timer: Option<(Timer, Duration)>,
    _handlers: Handlers,
}

/// The handlers of a socket. They are detached before they are dropped: a browser that calls a
/// dropped closure gets an exception.
struct Handlers {
    socket: WebSocket,
    _open: Closure<dyn FnMut(Event)>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

impl Handlers {
    fn attach(socket: &WebSocket, queue: &Rc<RefCell<RecvQueue>>) -> Self {
        let on_open = {
            let queue = Rc::clone(queue);
            Closure::new(move |_: Event| update(&queue, |queue| queue.is_open = true))
        };
        let on_message = {
            let (queue, socket) = (Rc::clone(queue), socket.clone());
            Closure::new(move |event: MessageEvent| {
                update(&queue, |queue| {
                    // At once, because no task may be reading.
                    if let Some(frame) = queue.push(&event.data()) {
                        close(&socket, Some(&frame));
                    }
                });
            })
        };
        let on_close = {
            let queue = Rc::clone(queue);
            Closure::new(move |event: CloseEvent| {
                // Unless both sides sent a close frame, the browser makes the code up.
                let close = event
                    .was_clean()
                    .then(|| Message::Close(close_frame(&event)));
                update(&queue, |queue| queue.end(close));
            })
        };
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Self {
            socket: socket.clone(),
            _open: on_open,
            _message: on_message,
            _close: on_close,
        }
    }
}

impl Drop for Handlers {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        close_abnormally(&self.socket);
    }
}

/// The close frame of the peer; `None` if it carried no code.
fn close_frame(event: &CloseEvent) -> Option<CloseFrame> {
    let code = CloseCode::from(event.code());
    (code != CloseCode::NO_STATUS_RECEIVED).then(|| CloseFrame::from_peer(code, event.reason()))
}

fn close(socket: &WebSocket, frame: Option<&CloseFrame>) {
    // It fails only for a code or a reason that may not be sent, and these may.
    let _ = match frame {
        Some(frame) => socket.close_with_code_and_reason(wire_code(frame.code()), frame.reason()),
        None => socket.close(),
    };
}

/// A browser sends code 1000 and those of applications only, so the others are sent as one of
/// these: 1009 as 4909.
fn wire_code(code: CloseCode) -> u16 {
    match u16::from(code) {
        code @ (1000 | 3000..) => code,
        code => code.saturating_add(3900),
    }
}

/// Closes a connection for which no close was requested. A browser always sends a close frame, even
/// for a page that drops the socket. Without a code of its own, that would look like an intended
/// close.
fn close_abnormally(socket: &WebSocket) {
    // In any other state the call has no effect, or is not needed. It also ends a handshake.
    if matches!(
        socket.ready_state(),
        WebSocket::CONNECTING | WebSocket::OPEN
    ) {
        let code = wire_code(CloseCode::ABNORMAL_CLOSURE);
        let _ = socket.close_with_code_and_reason(code, "dropped");
    }
}

impl Browser {
    /// Connects. Dropping the future closes the socket.
    pub(crate) async fn connect(
        url: &str,
        protocols: &[String],
        config: &Config,
    ) -> Result<Self, WsErr> {
        let offered: Array = protocols.iter().map(JsValue::from).collect();
        let socket = WebSocket::new_with_str_sequence(url, &offered).map_err(|error| {
            WsErr::InvalidUrl(error.dyn_into::<js_sys::Error>().map_or_else(
                |_| "the browser refuses it".to_owned(),
                |error| error.message().into(),
            ))
        })?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let queue = Rc::new(RefCell::new(RecvQueue::new(config)));
        let handlers = Handlers::attach(&socket, &queue);
        let transport = Self {
            socket,
            queue,
            poll_timer: None,
            _handlers: handlers,
        };
        std::future::poll_fn(|cx| transport.poll_open(cx)).await?;
        Ok(transport)
    }

    fn poll_open(&self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let mut queue = self.queue.borrow_mut();
        if queue.is_open {
            return Poll::Ready(Ok(()));
        }
        if queue.has_ended {
            // A page may not learn why: RFC 6455 section 10 and the WebSockets Standard of the
            // WHATWG.
            let why = "the browser could not connect, and does not say why".to_owned();
            return Poll::Ready(Err(WsErr::Handshake(why)));
        }
        queue.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The subprotocol that the server selected.
    pub(crate) fn subprotocol(&self) -> Option<String> {
        Some(self.socket.protocol()).filter(|name| !name.is_empty())
    }

    fn is_open(&self) -> bool {
        self.socket.ready_state() == WebSocket::OPEN
    }
}

impl MessageTransport for Browser {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        let mut queue = self.queue.borrow_mut();
        if let Some(message) = queue.pop() {
            return Poll::Ready(Some(message));
        }
        if queue.has_ended {
            return Poll::Ready(None);
        }
        queue.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        while self.is_open() && self.socket.buffered_amount() >= MAX_BUFFERED {
            let (timer, interval) = self
                .poll_timer
                .get_or_insert_with(|| (Timer::after(MIN_POLL_INTERVAL), MIN_POLL_INTERVAL));
            ready!(Pin::new(&mut *timer).poll(cx));
            *interval = (*interval * 2).min(MAX_POLL_INTERVAL);
            *timer = Timer::after(*interval);
        }
        self.poll_timer = None;
        Poll::Ready(Ok(()))
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        if message.is_data() && !self.is_open() {
            // The browser would discard it and report nothing.
            return Err(WsErr::Closed);
        }
        let sent = match message {
            // Copied into JavaScript's memory first: the browser refuses memory that is shared
            // between threads, which wasm's may be.
            Message::Binary(data) => self
                .socket
                .send_with_js_u8_array(&Uint8Array::from(data.as_ref())),
            Message::Text(text) => self.socket.send_with_str(&text),
            Message::Close(frame) => {
                close(&self.socket, frame.as_ref());
                Ok(())
            }
            Message::Ping(_) | Message::Pong(_) => {
                return Err(WsErr::Unsupported(Unsupported::Ping));
            }
        };
        sent.map_err(|_| WsErr::Closed)
    }

    /// What the browser holds cannot be flushed.
    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }

    /// The browser closes the TCP connection by itself once both close frames were exchanged.
    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        close_abnormally(&self.socket);
        Poll::Ready(Ok(()))
    }

    /// A page has no pings, and the browser replies to the peer's pings and close frame.
    fn properties(&self) -> Properties {
        Properties::default().can_ping(false).replies(true)
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser")
            .field("url", &self.socket.url())
            .finish_non_exhaustive()
    }
}
