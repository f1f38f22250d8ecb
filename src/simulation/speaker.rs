//! What an end sends besides its data: texts, pings, and at most one violation of the protocol.

use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use ws_framed_test_support::Frame;

use super::{network::Network, rng::Rng};
use crate::{BoxTransport, ControlPayload, Message, MessageTransport, Progress, Properties, WsErr};

/// What an end sends besides its data.
#[derive(Clone, Debug, Default)]
pub(super) struct Speech {
    /// One data message in so many goes out as text, if it is UTF-8. Zero for none.
    pub(super) as_text: usize,
    /// A text of its own goes before one message in so many. Zero for none.
    pub(super) asides: usize,
    /// So many pings of this length go out at once, before the first message.
    pub(super) pings: (usize, usize),
    pub(super) violation: Option<Violation>,
}

/// One violation, after so many messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Violation {
    pub(super) kind: ViolationKind,
    pub(super) after: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ViolationKind {
    ReservedBits,
    ReservedOpcode,
    WrongMask,
    LooseFragment,
    ControlInFragments,
    HalfACloseCode,
    NotUtf8,
    /// For a peer that rejects text.
    Text,
    /// Longer than the peer's limit.
    TooLong(usize),
}

impl ViolationKind {
    /// The close code that the peer sends for it.
    fn code(self) -> u16 {
        match self {
            Self::NotUtf8 => 1007,
            Self::Text => 1003,
            Self::TooLong(_) => 1009,
            _ => 1002,
        }
    }

    /// The frame that this end sends.
    fn frame(self, end: usize) -> Vec<u8> {
        let is_client = end == 1;
        match self {
            // RSV1 may be claimed by compression.
            Self::ReservedBits => frame(0xA2, b"bits", is_client),
            Self::ReservedOpcode => frame(0x83, b"code", is_client),
            Self::WrongMask => frame(0x82, b"mask", !is_client),
            Self::LooseFragment => frame(0x80, b"loose", is_client),
            Self::ControlInFragments => frame(0x09, b"half", is_client),
            Self::HalfACloseCode => frame(0x88, &[3], is_client),
            Self::NotUtf8 => frame(0x81, &[0xFF], is_client),
            Self::Text => frame(0x81, b"text", is_client),
            Self::TooLong(len) => frame(0x82, &vec![0; len], is_client),
        }
    }
}

/// A frame, with the mask 0 if it is masked.
fn frame(first: u8, payload: &[u8], is_masked: bool) -> Vec<u8> {
    Frame::with_first_byte(first, payload).encode(is_masked.then_some([0; 4]))
}

/// What an end has sent besides its data.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// Bytes of its data that were handed to its socket.
    data: usize,
    pub(super) asides: usize,
    pub(super) aside_bytes: usize,
    pub(super) pings: usize,
    /// The position of the violation in its data, and the close code for it.
    pub(super) violation: Option<(usize, u16)>,
}

/// A transport that sends texts, pings and a violation besides the data.
pub(super) struct Speaker {
    transport: BoxTransport,
    end: usize,
    network: Network,
    speech: Speech,
    rng: Rng,
    messages: usize,
    has_aside: bool,
    /// A close frame was sent or received, so nothing more may be sent.
    is_closing: bool,
    said: Arc<Mutex<Said>>,
}

impl Speaker {
    pub(super) fn new(
        transport: BoxTransport,
        end: usize,
        network: Network,
        speech: Speech,
        rng: Rng,
    ) -> Self {
        Self {
            transport,
            end,
            network,
            has_aside: speech.asides > 0,
            speech,
            rng,
            messages: 0,
            is_closing: false,
            said: Arc::default(),
        }
    }

    pub(super) fn said(&self) -> Arc<Mutex<Said>> {
        Arc::clone(&self.said)
    }

    /// Sends the violation when it is due, between two frames.
    fn poll_violation(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let is_due = |violation: &Violation| self.messages >= violation.after && !self.is_closing;
        if let Some(Violation { kind, .. }) = self.speech.violation.filter(is_due) {
            ready!(self.transport.poll_flush(cx))?;
            self.speech.violation = None;
            if self.network.inject(self.end, &kind.frame(self.end)) {
                let mut said = self.said.lock().unwrap();
                said.violation = Some((said.data, kind.code()));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Sends the pings, each after the one before is flushed.
    fn poll_pings(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let (left, len) = &mut self.speech.pings;
        while *left > 0 && !self.is_closing {
            ready!(self.transport.poll_flush(cx))?;
            ready!(self.transport.poll_ready(cx))?;
            *left -= 1;
            self.said.lock().unwrap().pings += 1;
            let payload = ControlPayload::try_from(&vec![b'p'; *len][..])?;
            self.transport.start_send(Message::Ping(payload))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Counts data that is sent, and returns it if it is to be sent as text.
    fn tell(&mut self, data: &[u8]) -> Option<String> {
        self.messages += 1;
        self.has_aside = self.rng.one_in(self.speech.asides);
        self.said.lock().unwrap().data += data.len();
        let text = String::from_utf8(data.to_vec()).ok()?;
        self.rng.one_in(self.speech.as_text).then_some(text)
    }

    fn say_aside(&mut self) -> Result<(), WsErr> {
        let mut said = self.said.lock().unwrap();
        let aside = said.asides.to_string();
        said.asides += 1;
        said.aside_bytes += aside.len();
        self.transport.start_send(Message::Text(aside))
    }
}

impl MessageTransport for Speaker {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        let next = self.transport.poll_next(cx);
        self.is_closing |= matches!(next, Poll::Ready(Some(Ok(Message::Close(_)))));
        next
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.poll_violation(cx))?;
        ready!(self.poll_pings(cx))?;
        ready!(self.transport.poll_ready(cx))?;
        if self.has_aside && !self.is_closing {
            self.has_aside = false;
            self.say_aside()?;
            ready!(self.transport.poll_ready(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        let message = match message {
            Message::Binary(data) => match self.tell(&data) {
                Some(text) => Message::Text(text),
                None => Message::Binary(data),
            },
            other => other,
        };
        self.is_closing |= matches!(message, Message::Close(_));
        self.transport.start_send(message)
    }

    fn start_send_buffer(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
        headroom: usize,
    ) -> Result<(), WsErr> {
        let data = buffer.get(headroom..).unwrap_or_default();
        if let Some(text) = self.tell(data) {
            buffer.clear();
            return self.transport.start_send(Message::Text(text));
        }
        self.transport.start_send_buffer(cx, buffer, headroom)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.poll_violation(cx))?;
        self.transport.poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.transport.poll_close(cx)
    }

    fn provide_buffer(&mut self, buffer: BytesMut) {
        self.transport.provide_buffer(buffer);
    }

    fn progress(&self) -> Progress {
        self.transport.progress()
    }

    fn properties(&self) -> Properties {
        self.transport.properties()
    }
}
