//! Properties: compression changes no message, splits make no difference, and any input is safe.

use proptest::prelude::*;

use super::{agreed, compressed, decoder, deflated, encoder, noise, queued};
use crate::{
    config,
    message::Message,
    protocol::{
        Role,
        frame::OpCode,
        tests::{Decoded, binary, control, decode_by, frame, properties::role},
    },
};

const MAX: usize = 100_000;

/// Short, compressible, not compressible, and long ones.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..40),
        4 => prop::collection::vec(b'a'..b'e', 0..3000),
        2 => "\\PC{0,60}".prop_map(|text| text.repeat(7).into_bytes()),
        2 => (0..3000_usize).prop_map(noise),
        1 => (20_000..80_000_usize).prop_map(noise),
        1 => (20_000..MAX, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        4 => payload().prop_map(|payload| binary(&payload)),
        2 => payload().prop_map(|payload| {
            Message::Text(String::from_utf8_lossy(&payload).chars().take(20_000).collect())
        }),
        1 => prop::collection::vec(any::<u8>(), 0..=125)
            .prop_map(|payload| Message::Ping(control(&payload))),
    ]
}

fn settings() -> impl Strategy<Value = config::Deflate> {
    (1..=9_u8, 9..=15_u8, any::<bool>(), 0..200_usize).prop_map(
        |(level, window_bits, takes_over, min_len)| {
            config::Deflate::default()
                .level(level)
                .send_window_bits(window_bits)
                .send_context(takes_over)
                .min_len(min_len)
        },
    )
}

fn split<'a>(input: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
    cuts.extend([0, input.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|ends| &input[ends[0]..ends[1]])
        .collect()
}

proptest! {
    /// Any messages, with any parameters, in any parts, arrive as they were sent: with context,
    /// one that does not become shorter does not harm those behind it.
    #[test]
    fn compression_changes_no_message(
        role in role(),
        settings in settings(),
        messages in prop::collection::vec(message(), 0..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut encoder = encoder(role, settings);
        for message in messages.clone() {
            encoder.push(message).unwrap();
        }
        let sent = queued(&mut encoder);
        let decoder = decoder(role.other(), settings.send_context, MAX);
        let decoded = decode_by(decoder, split(&sent, &cuts));
        prop_assert_eq!(decoded, Decoded { messages, ..Decoded::default() });
    }

    /// Broken input gives the same messages and the same error, however it is split.
    #[test]
    fn splits_make_no_difference(
        role in role(),
        payloads in prop::collection::vec((payload(), 1..=9_u8, any::<bool>()), 1..4),
        harm in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        takes_over: bool,
        max in prop_oneof![Just(MAX), 0..3000_usize],
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut input = Vec::new();
        for (payload, level, is_text) in payloads {
            let Some(mut bytes) = (!payload.is_empty()).then(|| deflated(&payload, level)) else {
                continue;
            };
            if let Some((place, byte)) = &harm {
                let place = place.index(bytes.len());
                bytes[place] = *byte;
            }
            let opcode = if is_text { OpCode::CompressedText } else { OpCode::CompressedBinary };
            let half = bytes.len() / 2;
            input.extend(frame(role, opcode, false, &bytes[..half]));
            input.extend(frame(role, OpCode::Continuation, true, &bytes[half..]));
        }
        let whole = decode_by(decoder(role, takes_over, max), [&*input]);
        let parts = decode_by(decoder(role, takes_over, max), split(&input, &cuts));
        prop_assert_eq!(&whole, &parts);
        if input.len() < 3000 {
            let bytes = decode_by(decoder(role, takes_over, max), input.chunks(1));
            prop_assert_eq!(&whole, &bytes);
        }
    }

    /// Any bytes are a message or a violation, and never more than the limit.
    #[test]
    fn any_payload_is_safe(
        payload in prop::collection::vec(any::<u8>(), 0..300),
        takes_over: bool,
    ) {
        let input = compressed(Role::Client, &payload);
        let decoded = decode_by(decoder(Role::Client, takes_over, 1000), [&*input]);
        prop_assert_eq!(decoded.messages.len() + usize::from(decoded.error.is_some()), 1);
        prop_assert!(decoded.messages.iter().all(|message| message.data_len() <= 1000));
        prop_assert!(agreed(takes_over, 15).recv_context == takes_over);
    }
}
