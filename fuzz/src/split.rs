//! The results do not depend on how bytes are split into pieces.

use std::{fmt::Debug, io, pin::Pin};

use async_tungstenite::tungstenite::protocol::Role;
use bytes::{Bytes, BytesMut};
use futures::Stream;
use support::frame::{BINARY, Frame};
use ws_framed::{
    Bincode, Cbor, CodecError, Decoder, Json, LengthDelimited, LengthPrefixed, Lines, Postcard,
    TextPolicy,
};

use crate::{
    Chunks, Script,
    connection::{Run, close_code_in},
    drive,
    values::Value,
};

const MAX: usize = 256;

/// A connection reads the same however the network splits its bytes, and the same where each
/// message is an item.
pub fn split_bytes(input: &[u8]) {
    for role in [Role::Server, Role::Client] {
        for policy in [TextPolicy::Reject, TextPolicy::Bytes] {
            let seen = Chunks::all(input).map(|chunks| {
                let seen = Run::new(role, policy).go(input, chunks);
                (seen.close_code(), seen.data, seen.error)
            });
            assert_eq!(seen[0], seen[1]);
            assert_eq!(seen[0], seen[2]);
            let is_text = policy == TextPolicy::Bytes;
            let messages = Chunks::all(input).map(|chunks| messages(input, role, is_text, chunks));
            assert_eq!(messages[0], messages[1]);
            assert_eq!(messages[0], messages[2]);
            let [(close_code, messages, error), ..] = messages;
            assert_eq!(seen[0], (close_code, messages.concat(), error));
        }
    }
}

/// What is received where each item is a message. A codec of text takes text, which is rejected
/// otherwise.
fn messages(
    input: &[u8],
    role: Role,
    is_text: bool,
    chunks: Chunks,
) -> (Option<u16>, Vec<Bytes>, Option<io::ErrorKind>) {
    let (script, output) = Script::new(input, chunks);
    let stream = Run::new(role, TextPolicy::Reject).open(script);
    let codec = LengthDelimited::new(4096);
    let mut items = stream.per_message(Payloads { codec, is_text });
    let mut seen = Vec::new();
    let error = loop {
        match drive(|cx| Pin::new(&mut items).poll_next(cx)) {
            Some(Ok(message)) => seen.push(message),
            Some(Err(CodecError::Io(error))) => break Some(error.kind()),
            Some(Err(error)) => panic!("any message is an item: {error:?}"),
            None => break None,
        }
    };
    let end = drive(|cx| Pin::new(&mut items).poll_next(cx));
    assert!(end.is_none(), "the end is the end");
    drop(items);
    let output = std::mem::take(&mut *output.lock().unwrap());
    (close_code_in(&output), seen, error)
}

/// Items that are the messages as they are.
struct Payloads {
    codec: LengthDelimited,
    is_text: bool,
}

impl Decoder for Payloads {
    type Item = Bytes;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Bytes>, CodecError> {
        self.codec.decode(src)
    }
}

impl LengthPrefixed for Payloads {
    fn is_text(&self) -> bool {
        self.is_text
    }
}

/// The item stream reads the same however its peer splits its encoded items into messages.
pub fn split_items(input: &[u8]) {
    let whole = items(input, Chunks::Whole);
    assert_eq!(whole, items(input, Chunks::Single));
    assert_eq!(whole, items(input, Chunks::random(input)));
}

fn items(input: &[u8], messages: Chunks) -> [Vec<String>; 6] {
    let messages = messages.split(input).into_iter();
    let mut wire: Vec<u8> = messages
        .flat_map(|data| data.chunks(1024))
        .flat_map(|data| Frame::new(BINARY, data).encode(None))
        .collect();
    wire.extend(Frame::close(1000, "").encode(None));
    [
        items_of(&wire, LengthDelimited::new(MAX)),
        items_of(&wire, Lines::new(MAX)),
        items_of(&wire, Bincode::<Value>::new(MAX)),
        items_of(&wire, Postcard::<Value>::new(MAX)),
        items_of(&wire, Json::<Value>::new(MAX)),
        items_of(&wire, Cbor::<Value>::new(MAX)),
    ]
}

fn items_of<C>(wire: &[u8], codec: C) -> Vec<String>
where
    C: Decoder<Item: Debug, Error = CodecError>,
{
    let (script, _) = Script::new(wire, Chunks::Whole);
    let stream = Run::new(Role::Client, TextPolicy::Reject).open(script);
    let mut items = stream.framed(codec);
    let mut seen = Vec::new();
    while let Some(item) = drive(|cx| Pin::new(&mut items).poll_next(cx)) {
        seen.push(match item {
            Ok(item) => format!("{item:?}"),
            Err(CodecError::Malformed(_)) => "malformed".to_owned(),
            // The length that is known by then depends on the split.
            Err(CodecError::FrameTooLarge { .. }) => "too large".to_owned(),
            Err(CodecError::Io(error)) => error.kind().to_string(),
            Err(error) => panic!("not an error of receiving: {error:?}"),
        });
    }
    assert!(
        drive(|cx| Pin::new(&mut items).poll_next(cx)).is_none(),
        "the end is the end"
    );
    seen
}
