//! The decoder beside tungstenite's.

use proptest::prelude::*;

use super::raw_frame;
use crate::protocol::{Role, differential::check};

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..8),
        2 => "\\PC{0,20}".prop_map(String::into_bytes),
        // Close codes, some of them invalid.
        2 => (900..5100_u16, "[a-z]{0,3}").prop_map(|(code, reason)| [&code.to_be_bytes(), reason.as_bytes()].concat()),
        1 => (100..3000_usize).prop_map(|len| vec![b'x'; len]),
    ]
}

fn first_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        8 => prop::sample::select(vec![0x82, 0x81, 0x02, 0x01, 0x00, 0x80, 0x89, 0x8a, 0x88]),
        1 => any::<u8>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Frames, most of them valid: the same messages and close codes.
    #[test]
    fn frames(
        is_client: bool,
        frames in prop::collection::vec((first_byte(), payload()), 0..8),
        garbage in prop::collection::vec(any::<u8>(), 0..12),
        end: prop::sample::Index,
    ) {
        let role = if is_client { Role::Client } else { Role::Server };
        let frames = frames.iter().map(|(first, payload)| raw_frame(role, *first, payload));
        let input = [frames.collect::<Vec<_>>().concat(), garbage].concat();
        check(&input, is_client);
        check(&input[..end.index(input.len() + 1)], is_client);
    }

    /// Any bytes.
    #[test]
    fn bytes(is_client: bool, input in prop::collection::vec(any::<u8>(), 0..40)) {
        check(&input, is_client);
    }
}
