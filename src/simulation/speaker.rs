//! What an end says besides plain data: text, and once, perhaps, something that no end may say.

use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};

use ws_framed_test_support::Frame;

use super::{network::Network, rng::Rng};
use crate::{BoxTransport, ControlPayload, Message, MessageTransport, Progress, Properties, WsErr};

/// How an end speaks.
#[derive(Clone, Debug, Default)]
pub(super) struct Speech {
    /// One data message in so many goes out as text, if it is UTF-8. Zero for none.
    pub(super) as_text: usize,
    /// A text of its own goes before one message in so many. Zero for none.
    pub(super) asides: usize,
    /// So many pings of this length go out at once, before the first message.
    pub(super) pings: (usize, usize),
    pub(super) offence: Option<Offence>,
}

/// Breaks a rule once, after so many messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offence {
    pub(super) kind: OffenceKind,
    pub(super) after: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OffenceKind {
    ReservedBits,
    ReservedOpcode,
    WrongMask,
    LooseFragment,
    ControlInFragments,
    HalfACloseCode,
    NotUtf8,
    /// For a peer that takes no text.
    Text,
    /// Longer than the peer takes.
    TooLong(usize),
}

impl OffenceKind {
    /// The close code that says so.
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

/// What an end has said.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// Bytes of its data that were handed to its socket.
    data: usize,
    pub(super) asides: usize,
    pub(super) aside_bytes: usize,
    pub(super) pings: usize,
    /// Before which byte of its data it broke a rule, and the close code for that.
    pub(super) offence: Option<(usize, u16)>,
}

/// The transport of an end that speaks so.
pub(super) struct Speaker {
    transport: BoxTransport,
    end: usize,
    network: Network,
    speech: Speech,
    rng: Rng,
    messages: usize,
    has_aside: bool,
    /// A close frame has gone or come: after that there is nothing to say.
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

    /// Breaks the rule when it is time, between two frames.
    fn poll_offend(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let is_due = |offence: &Offence| self.messages >= offence.after && !self.is_closing;
        if let Some(Offence { kind, .. }) = self.speech.offence.filter(is_due) {
            ready!(self.transport.poll_flush(cx))?;
            self.speech.offence = None;
            if self.network.inject(self.end, &kind.frame(self.end)) {
                let mut said = self.said.lock().unwrap();
                said.offence = Some((said.data, kind.code()));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Pings, each when the one before has gone.
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
        ready!(self.poll_offend(cx))?;
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
            Message::Binary(data) => {
                self.messages += 1;
                self.has_aside = self.rng.one_in(self.speech.asides);
                self.said.lock().unwrap().data += data.len();
                match String::from_utf8(data.to_vec()) {
                    Ok(text) if self.rng.one_in(self.speech.as_text) => Message::Text(text),
                    _ => Message::Binary(data),
                }
            }
            other => other,
        };
        self.is_closing |= matches!(message, Message::Close(_));
        self.transport.start_send(message)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.poll_offend(cx))?;
        self.transport.poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.transport.poll_close(cx)
    }

    fn progress(&self) -> Progress {
        self.transport.progress()
    }

    fn properties(&self) -> Properties {
        self.transport.properties()
    }
}
