//! Properties: splits make no difference, and the encoder and the decoder are inverse.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::{Decoded, control, decode, decode_into, raw_frame};
use crate::{
    close::{CloseCode, CloseFrame},
    message::Message,
    protocol::{Decoder, Encoder, Role},
};

const MAX: usize = 300_000;

pub(super) fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..20),
        4 => "\\PC{0,20}".prop_map(String::into_bytes),
        2 => prop::collection::vec(any::<u8>(), 100..200),
        1 => (60_000..70_000_usize, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
        1 => (90_000..200_000_usize, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ]
}

/// First bytes of frames: mostly valid ones, in an order that often makes messages.
fn first_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        6 => prop::sample::select(vec![0x82, 0x81, 0x02, 0x01, 0x00, 0x80, 0x89, 0x8a]),
        1 => Just(0x88),
        1 => any::<u8>(),
    ]
}

/// Bytes on the wire: frames, most of them valid, and sometimes garbage at the end.
fn wire(role: Role) -> impl Strategy<Value = Vec<u8>> {
    let frame = (first_byte(), payload())
        .prop_map(move |(first, payload)| raw_frame(role, first, &payload));
    let frames = prop::collection::vec(frame, 0..8);
    (frames, prop::collection::vec(any::<u8>(), 0..12))
        .prop_map(|(frames, garbage)| [frames.concat(), garbage].concat())
}

/// Splits `input` at each of `cuts`.
fn split<'a>(input: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
    cuts.extend([0, input.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|ends| &input[ends[0]..ends[1]])
        .collect()
}

/// The same, decoded from a buffer that holds all of it at once.
fn decode_at_once(role: Role, input: &[u8]) -> Decoded {
    let mut decoder = crate::protocol::Decoder::new(role, MAX, BytesMut::from(input));
    let mut decoded = Decoded::default();
    super::drain(&mut decoder, &mut decoded);
    decoded.partial = decoder.partial_message();
    decoded
}

fn message() -> impl Strategy<Value = Message> {
    let controls =
        prop::collection::vec(any::<u8>(), 0..=125).prop_map(|payload| control(&payload));
    prop_oneof![
        payload().prop_map(|payload| Message::Binary(BytesMut::from(&*payload).into())),
        payload().prop_map(|payload| Message::Binary(Bytes::from(payload).into())),
        "\\PC{0,40}".prop_map(Message::Text),
        controls.clone().prop_map(Message::Ping),
        controls.prop_map(Message::Pong),
    ]
}

fn close() -> impl Strategy<Value = Message> {
    let frame = (
        prop_oneof![1000..1004_u16, 1007..1015_u16, 3000..5000_u16],
        ".{0,40}",
    )
        .prop_map(|(code, reason)| CloseFrame::new(CloseCode::new(code), reason).unwrap());
    prop::option::of(frame).prop_map(Message::Close)
}

proptest! {
    /// The same messages, the same error and the same progress, however the input is split.
    #[test]
    fn splits_make_no_difference(
        (role, input) in role().prop_flat_map(|role| (Just(role), wire(role))),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        capacities in prop::collection::vec(0..100_000_usize, 0..4),
    ) {
        let whole = decode_at_once(role, &input);
        prop_assert_eq!(&decode(role, MAX, split(&input, &cuts)), &whole);
        let decoder = Decoder::new(role, MAX, BytesMut::new());
        prop_assert_eq!(&decode_into(decoder, split(&input, &cuts), &capacities), &whole);
        if input.len() < 5000 {
            prop_assert_eq!(&decode(role, MAX, input.chunks(1)), &whole);
        }
    }

    /// Any prefix of an input gives a prefix of its messages, and no error that the input has not.
    #[test]
    fn prefixes_agree(
        (role, input) in role().prop_flat_map(|role| (Just(role), wire(role))),
        end: prop::sample::Index,
    ) {
        let whole = decode_at_once(role, &input);
        let part = decode_at_once(role, &input[..end.index(input.len() + 1)]);
        prop_assert!(whole.messages.starts_with(&part.messages));
        if part.error.is_some() {
            prop_assert_eq!(part, whole);
        }
    }

    /// What is encoded is decoded again, for any fragment length and any parts that a socket takes.
    #[test]
    fn encoder_and_decoder_are_inverse(
        role in role(),
        messages in prop::collection::vec(message(), 0..8),
        last in close(),
        max_frame_len in prop_oneof![Just(usize::MAX), 1..200_usize, Just(65536)],
        is_vectored: bool,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut encoder = Encoder::new(role, max_frame_len, is_vectored);
        let mut messages = messages;
        messages.push(last);
        for message in messages.clone() {
            encoder.push(message).unwrap();
        }
        let mut sent = Vec::new();
        while encoder.len() > 0 {
            let mut slices = [std::io::IoSlice::new(&[]); 3];
            let filled = encoder.queue().slices(&mut slices);
            let bytes: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect();
            let len = bytes.len().div_ceil(3).max(1000).min(bytes.len());
            sent.extend_from_slice(&bytes[..len]);
            encoder.queue().advance(len);
        }
        let decoded = decode(role.other(), MAX, split(&sent, &cuts));
        prop_assert_eq!(decoded, Decoded { messages, ..Decoded::default() });
    }
}
