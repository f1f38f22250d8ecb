//! The browser's `WebSocket` as a [`MessageTransport`].
//!
//! Through `web-sys`, because what has to be decided is exactly what the crates on top of it decide for
//! their users: how much may queue in either direction, which close codes go out, when handlers are
//! detached, and what an end without a close frame looks like.
//!
//! `WebSocketStream`, which could pause the receiving side, is in one family of browsers only and its close
//! frames are promises rather than messages; so the queue here is bounded instead, and a connection that
//! overflows it fails.

mod inbox;

use std::{
    cell::RefCell,
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent, WebSocket};

use self::inbox::{Inbox, update};
use super::MessageTransport;
use crate::{
    close::{CloseCode, CloseFrame},
    config::Config,
    error::WsErr,
    message::Message,
    time::Timer,
};

/// The browser takes no more while this many bytes wait in it to be sent.
const MAX_BUFFERED: u32 = 256 * 1024;

/// How often to look whether the browser has sent some of what it holds: no event tells. Each look that
/// finds no room doubles the time to the next.
const FIRST_LOOK: Duration = Duration::from_millis(2);
const LAST_LOOK: Duration = Duration::from_millis(64);

/// A `WebSocket` of the browser's, whose handshake is done.
pub(crate) struct Browser {
    socket: WebSocket,
    inbox: Rc<RefCell<Inbox>>,
    /// While there is no room: when to look again, and how long to wait then.
    look: Option<(Timer, Duration)>,
    _handlers: Handlers,
}

/// The handlers of a socket. They are detached before they are dropped: a browser that calls a dropped
/// closure gets an exception.
struct Handlers {
    socket: WebSocket,
    _open: Closure<dyn FnMut(Event)>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

impl Handlers {
    fn attach(socket: &WebSocket, inbox: &Rc<RefCell<Inbox>>) -> Self {
        let on_open = {
            let inbox = Rc::clone(inbox);
            Closure::new(move |_: Event| update(&inbox, |inbox| inbox.opened = true))
        };
        let on_message = {
            let (inbox, socket) = (Rc::clone(inbox), socket.clone());
            Closure::new(move |event: MessageEvent| {
                update(&inbox, |inbox| receive(inbox, &socket, &event.data()));
            })
        };
        let on_close = {
            let inbox = Rc::clone(inbox);
            Closure::new(move |event: CloseEvent| {
                update(&inbox, |inbox| {
                    // Without a close frame on both sides, the code is made up by the browser.
                    if event.was_clean() && !inbox.failed {
                        let close = Message::Close(frame(&event));
                        inbox.messages.push_back(Ok(close));
                    }
                    inbox.ended = true;
                });
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
        abandon(&self.socket);
    }
}

fn receive(inbox: &mut Inbox, socket: &WebSocket, data: &JsValue) {
    if inbox.failed {
        return;
    }
    let message = inbox.admit(data);
    if let Err(error) = &message {
        inbox.failed = true;
        // At once: nobody may be reading.
        close(socket, error.farewell().as_ref());
    }
    inbox.messages.push_back(message);
}

/// The close frame that came; none if it had no code.
fn frame(event: &CloseEvent) -> Option<CloseFrame> {
    let code = CloseCode::from(event.code());
    (code != CloseCode::NO_STATUS).then(|| CloseFrame::from_peer(code, event.reason()))
}

fn close(socket: &WebSocket, frame: Option<&CloseFrame>) {
    // The only errors are a code or a reason that may not be sent, and these may.
    let _ = match frame {
        Some(frame) => socket.close_with_code_and_reason(wire_code(frame.code()), frame.reason()),
        None => socket.close(),
    };
}

/// A browser sends code 1000 and those of applications only, so the others go out as one of these: 1009
/// as 4909.
fn wire_code(code: CloseCode) -> u16 {
    match u16::from(code) {
        code @ (1000 | 3000..) => code,
        code => code.saturating_add(3900),
    }
}

/// Closes a connection that nobody has closed. A browser cannot cut it, and says goodbye even when a page
/// drops it; without a code of its own that would look like a close on purpose.
fn abandon(socket: &WebSocket) {
    // In any other state it has no effect, or needs none; a connection that is not yet open is given up.
    if matches!(
        socket.ready_state(),
        WebSocket::CONNECTING | WebSocket::OPEN
    ) {
        let code = wire_code(CloseCode::ABNORMAL);
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
        let inbox = Rc::new(RefCell::new(Inbox::new(config)));
        let handlers = Handlers::attach(&socket, &inbox);
        let transport = Self {
            socket,
            inbox,
            look: None,
            _handlers: handlers,
        };
        std::future::poll_fn(|cx| transport.poll_open(cx)).await?;
        Ok(transport)
    }

    fn poll_open(&self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let mut inbox = self.inbox.borrow_mut();
        if inbox.opened {
            return Poll::Ready(Ok(()));
        }
        if inbox.ended {
            // A page may not learn why: RFC 6455 section 10 and the WebSockets Standard of the WHATWG.
            let why = "the browser could not connect, and does not say why".to_owned();
            return Poll::Ready(Err(WsErr::Handshake(why)));
        }
        inbox.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The subprotocol that the server chose.
    pub(crate) fn subprotocol(&self) -> Option<String> {
        Some(self.socket.protocol()).filter(|name| !name.is_empty())
    }
}

impl MessageTransport for Browser {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        let mut inbox = self.inbox.borrow_mut();
        if let Some(message) = inbox.take() {
            return Poll::Ready(Some(message));
        }
        if inbox.ended {
            return Poll::Ready(None);
        }
        inbox.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        while self.socket.ready_state() == WebSocket::OPEN
            && self.socket.buffered_amount() >= MAX_BUFFERED
        {
            let (timer, wait) = self
                .look
                .get_or_insert_with(|| (Timer::after(FIRST_LOOK), FIRST_LOOK));
            std::task::ready!(Pin::new(&mut *timer).poll(cx));
            *wait = (*wait * 2).min(LAST_LOOK);
            *timer = Timer::after(*wait);
        }
        self.look = None;
        Poll::Ready(Ok(()))
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        let is_data = matches!(message, Message::Binary(_) | Message::Text(_));
        if is_data && self.socket.ready_state() != WebSocket::OPEN {
            // The browser would throw it away and say nothing.
            return Err(WsErr::Closed);
        }
        let sent = match message {
            // Copied into JavaScript's memory first: the browser refuses memory that is shared between
            // threads, which wasm's may be.
            Message::Binary(data) => self
                .socket
                .send_with_js_u8_array(&Uint8Array::from(data.as_ref())),
            Message::Text(text) => self.socket.send_with_str(&text),
            Message::Close(frame) => {
                close(&self.socket, frame.as_ref());
                Ok(())
            }
            Message::Ping(_) | Message::Pong(_) => {
                return Err(WsErr::Unsupported("send pings or pongs"));
            }
        };
        sent.map_err(|_| WsErr::Closed)
    }

    /// What the browser holds is out of our hands.
    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }

    /// The browser shuts down by itself when both close frames have passed.
    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        abandon(&self.socket);
        Poll::Ready(Ok(()))
    }

    fn can_ping(&self) -> bool {
        false
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser")
            .field("url", &self.socket.url())
            .finish_non_exhaustive()
    }
}
