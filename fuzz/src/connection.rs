//! The byte stream of a connection, fed with raw bytes.

use std::{
    io,
    pin::{Pin, pin},
};

use async_tungstenite::{
    WebSocketStream,
    tungstenite::protocol::{Role, WebSocketConfig},
};
use futures::{
    Future,
    io::{AsyncRead, AsyncWrite},
};
use support::alloc::Meter;
use support::frame::{BINARY, CLOSE, Frame, TEXT};
use ws_framed::{Config, MessageTransport, TextPolicy, WsStream};

use crate::{Chunks, Script, drive, frames::Carried};

/// The longest message that tungstenite takes. It exceeds that of the connection, so that both
/// limits are met.
const TUNGSTENITE_MAX: usize = 2048;
const CONNECTION_MAX: usize = 1024;

/// The memory that one connection may hold besides the data that it was given to send and has read.
const MEMORY_CEILING: usize = 32 * 1024;

const POLICIES: [TextPolicy; 3] = [TextPolicy::Reject, TextPolicy::Bytes, TextPolicy::Event];

pub fn connection_server(input: &[u8]) {
    check(input, Role::Server);
}

pub fn connection_client(input: &[u8]) {
    check(input, Role::Client);
}

fn check(input: &[u8], role: Role) {
    for policy in POLICIES {
        let seen = Run::new(role, policy).go(input, Chunks::random(input));
        seen.check(input, role, policy);
    }
    let mut run = Run::new(role, TextPolicy::Bytes);
    run.closes_first = true;
    let seen = run.go(input, Chunks::random(input));
    seen.check(input, role, TextPolicy::Bytes);
}

/// One connection from its start to its end.
pub(crate) struct Run {
    role: Role,
    pub(crate) policy: TextPolicy,
    /// Whether the caller writes and closes before it reads.
    closes_first: bool,
}

/// What the caller and the peer saw of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) data: Vec<u8>,
    /// The error that came in place of a clean end.
    pub(crate) error: Option<io::ErrorKind>,
    pub(crate) output: Vec<u8>,
}

impl Run {
    pub(crate) fn new(role: Role, policy: TextPolicy) -> Self {
        Self {
            role,
            policy,
            closes_first: false,
        }
    }

    pub(crate) fn open(&self, script: Script) -> WsStream<impl MessageTransport + use<>> {
        let limits = WebSocketConfig::default()
            .read_buffer_size(1024)
            .write_buffer_size(0)
            .max_message_size(Some(TUNGSTENITE_MAX))
            .max_frame_size(Some(TUNGSTENITE_MAX));
        let socket = WebSocketStream::from_raw_socket(script, self.role, Some(limits));
        let mut socket = pin!(socket);
        let config = Config::default()
            .max_recv_message_len(CONNECTION_MAX)
            .text(self.policy)
            // Time is of no importance here.
            .keepalive(None);
        WsStream::with_config(drive(|cx| socket.as_mut().poll(cx)), config).unwrap()
    }

    pub(crate) fn go(&self, input: &[u8], chunks: Chunks) -> Seen {
        let (script, output) = Script::new(input, chunks);
        let memory = Meter::start();
        let mut stream = self.open(script);
        if self.closes_first {
            let written = drive(|cx| Pin::new(&mut stream).poll_write(cx, b"bye"));
            assert_eq!(written.unwrap(), 3);
            if let Err(error) = drive(|cx| Pin::new(&mut stream).poll_close(cx)) {
                // The connection ended before that was flushed.
                assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            }
        }
        let (data, error) = read_to_end(&mut stream);
        write_after_the_end(&mut stream);
        drop(stream);
        let output = std::mem::take(&mut *output.lock().unwrap());
        // A vector that grows holds up to three times what is in it.
        let ceiling = MEMORY_CEILING + 3 * (data.len() + output.len());
        let peak = memory.cost().peak;
        assert!(peak <= ceiling, "{peak} bytes of memory, {ceiling} allowed");
        Seen {
            data,
            error,
            output,
        }
    }
}

/// Reads until the end and beyond it: an error is returned once, and the end is final.
pub(crate) fn read_to_end(
    stream: &mut (impl AsyncRead + Unpin),
) -> (Vec<u8>, Option<io::ErrorKind>) {
    let mut data = Vec::new();
    let error = loop {
        let mut buf = [0; 64];
        match drive(|cx| Pin::new(&mut *stream).poll_read(cx, &mut buf)) {
            Ok(0) => break None,
            Ok(len) => data.extend_from_slice(&buf[..len]),
            Err(error) => break Some(error.kind()),
        }
    };
    for _ in 0..3 {
        let read = drive(|cx| Pin::new(&mut *stream).poll_read(cx, &mut [0; 64]));
        assert!(matches!(read, Ok(0)), "after the end: {read:?}");
    }
    (data, error)
}

fn write_after_the_end(stream: &mut (impl AsyncWrite + Unpin)) {
    let written = drive(|cx| Pin::new(&mut *stream).poll_write(cx, b"late"));
    assert_eq!(written.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    // A loss of bytes is reported once.
    let _ = drive(|cx| Pin::new(&mut *stream).poll_flush(cx));
    drive(|cx| Pin::new(&mut *stream).poll_flush(cx)).expect("the loss was reported");
    drive(|cx| Pin::new(&mut *stream).poll_close(cx)).expect("it is closed");
}

impl Seen {
    /// Compares it with the contents of the input.
    fn check(&self, input: &[u8], role: Role, policy: TextPolicy) {
        let carried = Carried::by(
            input,
            match policy {
                TextPolicy::Bytes => |kind| kind == BINARY || kind == TEXT,
                _ => |kind| kind == BINARY,
            },
        );
        let has_all = self.data == carried.data;
        assert!(carried.data.starts_with(&self.data), "not what was sent");
        match self.error {
            None | Some(io::ErrorKind::ConnectionAborted) => {
                assert!(carried.has_close, "closed without a close frame");
                assert!(has_all, "closed before everything was read");
            }
            Some(io::ErrorKind::UnexpectedEof) => {
                assert!(!carried.has_close, "there was a close frame");
                assert!(has_all, "ended before everything was read");
            }
            Some(io::ErrorKind::InvalidData) => {}
            Some(error) => panic!("an error without a cause: {error}"),
        }
        self.check_output(role);
    }

    /// The output consists of frames, the last of which is the only close frame.
    fn check_output(&self, role: Role) {
        let mut rest = &self.output[..];
        let mut closes = 0;
        while let Some((frame, mask)) = Frame::decode(&mut rest) {
            assert_eq!(closes, 0, "{frame:?} after a close frame");
            assert_eq!(mask.is_some(), matches!(role, Role::Client));
            closes += usize::from(frame.opcode == CLOSE);
        }
        if self.error != Some(io::ErrorKind::UnexpectedEof) {
            assert!(rest.is_empty(), "a frame that is not whole");
            // Where a message is refused that tungstenite has accepted, and the close frame has to
            // wait behind a pong, tungstenite may find the end of its stream first, and sends
            // nothing more: see the documentation of `Tungstenite`.
            let is_cut_short =
                self.error == Some(io::ErrorKind::InvalidData) && !self.output.is_empty();
            assert!(closes == 1 || is_cut_short, "one close frame was sent");
        }
    }

    /// The code of the close frame that was sent.
    pub(crate) fn close_code(&self) -> Option<u16> {
        close_code_in(&self.output)
    }
}

/// The code of the first close frame in the output.
pub(crate) fn close_code_in(mut output: &[u8]) -> Option<u16> {
    std::iter::from_fn(|| Frame::decode(&mut output))
        .filter(|(frame, _)| frame.opcode == CLOSE)
        .find_map(|(frame, _)| Some(u16::from_be_bytes(*frame.payload.first_chunk()?)))
}
