//! The decoder beside tungstenite's, for a property test and for the fuzzer.
//!
//! The same bytes give the same messages and the same close code, with these differences:
//!
//! | input | here | tungstenite | RFC 6455 |
//! |---|---|---|---|
//! | a length that is not encoded minimally | 1002 | taken | 5.2 |
//! | a length of 64 bits | 1002 | 1009 | 5.2 |
//! | a header that breaks a rule, and announces more than the limit | 1002 | 1009 | 7.1.7 |
//! | an invalid frame that is not complete | fails at once | waits for its end | 8.1 |
//! | an invalid close code | passed on, for the connection | replaced by 1002 | 7.4.2 |
//! | data after a close frame | discarded | an error | 1.4 |

#![allow(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a difference is a panic"
)]

use std::io::{self, Read, Write};

use async_tungstenite::tungstenite::{
    self, WebSocket,
    error::Error,
    protocol::{Role as TheirRole, WebSocketConfig},
};
use bytes::BytesMut;

use super::{Decoder, Role};
use crate::{
    close::{CloseCode, CloseFrame},
    error::WsErr,
    message::{ControlPayload, Message},
};

const MAX_LEN: usize = 2000;

/// Messages, and the close code of the error at their end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    messages: Vec<Message>,
    code: Option<u16>,
    /// The length of the last frame was not encoded minimally.
    is_padded: bool,
}

/// Compares both decoders.
///
/// # Panics
/// They differ in a way that is not in the table above.
#[cfg_attr(
    not(feature = "__fuzzing"),
    expect(unreachable_pub, reason = "for the fuzzer")
)]
pub fn check(input: &[u8], is_client: bool) {
    let mut ours = decode(input, is_client);
    let mut theirs = decode_theirs(input.to_vec(), is_client);
    if ours.code.is_some() && theirs.code.is_none() {
        // The end of the frame that they wait for.
        let rest = [0; MAX_LEN + 14];
        theirs = decode_theirs([input, &rest].concat(), is_client);
    }
    if let Some(Message::Close(Some(frame))) = ours.messages.last_mut() {
        if !frame.code().is_sendable() {
            *frame = CloseFrame::from_peer(CloseCode::PROTOCOL_ERROR, "Protocol violation");
        }
    }
    if ours.is_padded {
        assert!(
            theirs.messages.starts_with(&ours.messages),
            "{ours:?}\n{theirs:?}"
        );
        return;
    }
    assert_eq!(ours.messages, theirs.messages);
    let is_known = ours.code == Some(1002) && matches!(theirs.code, Some(1007 | 1009));
    assert!(ours.code == theirs.code || is_known, "{ours:?}\n{theirs:?}");
}

fn decode(input: &[u8], is_client: bool) -> Seen {
    let role = if is_client {
        Role::Client
    } else {
        Role::Server
    };
    let mut decoder = Decoder::new(role, MAX_LEN, BytesMut::from(input));
    let mut seen = Seen::default();
    loop {
        match decoder.decode() {
            Ok(Some(message)) => seen.messages.push(message),
            Ok(None) => return seen,
            Err(error) => {
                seen.is_padded = error.to_string().contains("minimally");
                seen.code = Some(match error {
                    WsErr::Protocol(violation) => violation.code().into(),
                    WsErr::MessageTooLarge { .. } => 1009,
                    error => panic!("{error}"),
                });
            }
        }
    }
}

fn decode_theirs(input: Vec<u8>, is_client: bool) -> Seen {
    let role = if is_client {
        TheirRole::Client
    } else {
        TheirRole::Server
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_LEN))
        .max_frame_size(Some(MAX_LEN));
    let input = Input(io::Cursor::new(input));
    let mut socket = WebSocket::from_raw_socket(input, role, Some(config));
    let mut seen = Seen::default();
    loop {
        match socket.read() {
            Ok(message) => {
                let message = convert(message);
                let is_last = matches!(message, Message::Close(_));
                seen.messages.push(message);
                if is_last {
                    return seen;
                }
            }
            Err(Error::Io(_)) => return seen,
            Err(error) => {
                seen.code = Some(match error {
                    Error::Capacity(_) => 1009,
                    Error::Utf8(_) => 1007,
                    Error::Protocol(_) => 1002,
                    error => panic!("{error}"),
                });
                return seen;
            }
        }
    }
}

fn convert(message: tungstenite::Message) -> Message {
    let control = |payload: &[u8]| ControlPayload::try_from(payload).unwrap_or_default();
    match message {
        tungstenite::Message::Binary(data) => Message::Binary(data.into()),
        tungstenite::Message::Text(text) => Message::Text(text.as_str().to_owned()),
        tungstenite::Message::Ping(payload) => Message::Ping(control(&payload)),
        tungstenite::Message::Pong(payload) => Message::Pong(control(&payload)),
        tungstenite::Message::Close(frame) => Message::Close(frame.map(|frame| {
            let code = u16::from(frame.code).into();
            CloseFrame::from_peer(code, frame.reason.as_str())
        })),
        tungstenite::Message::Frame(frame) => panic!("{frame}"),
    }
}

/// Waits for more where the input ends, and swallows replies.
struct Input(io::Cursor<Vec<u8>>);

impl Read for Input {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buf)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            len => Ok(len),
        }
    }
}

impl Write for Input {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
