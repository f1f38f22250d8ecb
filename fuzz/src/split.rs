//! How bytes are cut into pieces makes no difference.

use std::{fmt::Debug, pin::Pin};

use async_tungstenite::tungstenite::protocol::Role;
use futures::Stream;
use ws_framed::{
    Bincode, Cbor, CodecError, Decoder, Json, LengthDelimited, Lines, Postcard, TextPolicy,
};

use crate::{
    Chunks, Script, drive,
    frames::{BINARY, CLOSE, Frame},
    link::Run,
    values::Value,
};

const MAX: usize = 256;

/// A link reads the same however the network cuts what it carries.
pub fn split_bytes(input: &[u8]) {
    for role in [Role::Server, Role::Client] {
        for policy in [TextPolicy::Reject, TextPolicy::Bytes] {
            let seen = Chunks::all(input).map(|chunks| {
                let seen = Run::new(role, policy).go(input, chunks);
                (seen.close_code(), seen.data, seen.error)
            });
            assert_eq!(seen[0], seen[1]);
            assert_eq!(seen[0], seen[2]);
        }
    }
}

/// The item view reads the same however its peer cuts its frames into messages.
pub fn split_items(input: &[u8]) {
    let whole = items(input, Chunks::Whole);
    assert_eq!(whole, items(input, Chunks::Single));
    assert_eq!(whole, items(input, Chunks::random(input)));
}

fn items(input: &[u8], messages: Chunks) -> [Vec<String>; 6] {
    let messages = messages.cut(input).into_iter();
    let mut wire: Vec<u8> = messages
        .flat_map(|data| data.chunks(1024))
        .flat_map(|data| Frame::message(BINARY, data, None).to_bytes())
        .collect();
    wire.extend(Frame::message(CLOSE, &1000_u16.to_be_bytes(), None).to_bytes());
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
            // How much of it was there depends on the cut.
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
