//! What is sent: compressed where it helps, once for all connections, in fragments.

use bytes::Bytes;

use super::{agreed, decoder, encoder, noise, queued};
use crate::{
    config,
    message::{Message, SharedBytes, SharedMessage},
    protocol::{
        Deflater, Encoder, Role,
        tests::{binary, control, decode_by},
    },
};

/// Messages of every kind in order, as a connection sends them: compressed where that is
/// shorter, and with context from `min_len` on.
#[test]
fn messages_are_compressed_where_it_helps() {
    let json = "{\"name\":\"value\",\"list\":[1,2,3]},".repeat(40);
    for role in super::ROLES {
        let peer = role.other();
        for takes_over in [false, true] {
            let settings = config::Deflate::default().send_context(takes_over);
            let mut encoder = encoder(role, settings);
            let messages = [
                Message::Text(json.clone()),
                binary(&noise(5000)),
                binary(b"short"),
                Message::Binary(Bytes::from(json.clone()).into()),
                Message::Ping(control(b"ping")),
                binary(b""),
                Message::Text(json.clone()),
            ];
            let mut lens = Vec::new();
            let mut input = Vec::new();
            for message in messages.clone() {
                encoder.push(message).unwrap();
                let bytes = queued(&mut encoder);
                lens.push(bytes.len());
                input.extend(bytes);
            }
            let decoded = decode_by(decoder(peer, takes_over, 10_000), [&*input]);
            assert_eq!(decoded.messages, messages);
            assert_eq!(decoded.error, None);
            assert!(lens[0] < 100, "{lens:?}");
            assert!(lens[1] < 5000 + 14 + 11, "{lens:?}");
            assert!(lens[2] <= 5 + 6 && lens[5] <= 6, "{lens:?}");
            // The second text refers to the first.
            assert_eq!(lens[6] < 35, takes_over, "{lens:?}");
        }
    }
}

/// Fragments of compressed messages: RSV1 on the first one only, with context and without, in both
/// roles.
#[test]
fn compressed_messages_are_fragmented() {
    // Half a byte of information in each: compressed to some 1 000 bytes.
    let text: String = noise(2000)
        .iter()
        .map(|byte| char::from(b'a' + byte % 16))
        .collect();
    for role in super::ROLES {
        for takes_over in [false, true] {
            let settings = config::Deflate::default().send_context(takes_over);
            let deflater = Deflater::new(&settings, agreed(takes_over, 15));
            let mut encoder = Encoder::new(role, 100, true).with_deflate(deflater);
            let messages = [
                Message::Text(text.clone()),
                binary(text.as_bytes()),
                Message::Text("z".repeat(3000)),
                Message::Text(text.clone() + "!"),
            ];
            let mut counts = Vec::new();
            let mut input = Vec::new();
            for message in messages.clone() {
                encoder.push(message).unwrap();
                let bytes = queued(&mut encoder);
                let bits = bits_of_frames(&bytes);
                let expected = (0..bits.len()).map(|at| (at + 1 == bits.len(), at == 0));
                assert!(bits.iter().copied().eq(expected), "{bits:?}");
                counts.push(bits.len());
                input.extend(bytes);
            }
            assert!(counts[0] > 5, "{counts:?}");
            assert_eq!(counts[3] == 1, takes_over, "{counts:?}");
            let decoded = decode_by(decoder(role.other(), takes_over, 10_000), [&*input]);
            assert_eq!(decoded.error, None);
            assert_eq!(decoded.messages, messages);
        }
    }
}

/// FIN and RSV1 of each of these frames, none of which has more than 125 bytes.
fn bits_of_frames(mut bytes: &[u8]) -> Vec<(bool, bool)> {
    let mut all = Vec::new();
    while let [first, second, ..] = *bytes {
        all.push((first & 0x80 != 0, first & 0x40 != 0));
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        bytes = &bytes[2 + mask + usize::from(second & 0x7f)..];
    }
    all
}

/// A message that several connections send is compressed by the first, and the others send the same
/// bytes, from where they are. Another level or window makes others.
#[test]
fn shared_messages_are_compressed_once() {
    let text: String = noise(20_000)
        .iter()
        .map(|byte| char::from(b'a' + byte % 16))
        .collect();
    let bytes = SharedBytes::from(Bytes::from(text.clone().into_bytes()));
    for is_text in [false, true] {
        let message = SharedMessage::new(bytes.clone(), is_text);
        let settings = config::Deflate::default();
        let mut addresses = Vec::new();
        for _ in 0..3 {
            let mut encoder = encoder(Role::Server, settings);
            encoder.push_shared_message(message.clone()).unwrap();
            let mut slices = [std::io::IoSlice::new(&[]); 3];
            assert_eq!(encoder.queue().slices(&mut slices), 2);
            assert!(slices[1].len() < text.len());
            addresses.push(slices[1].as_ptr());
            let input = queued(&mut encoder);
            let decoded = decode_by(decoder(Role::Client, false, 100_000), [&*input]);
            assert_eq!(decoded.messages, [message.clone().into_message()]);
        }
        assert!(addresses.iter().all(|address| *address == addresses[0]));
        for other in [settings.level(1), settings.send_window_bits(9)] {
            let mut encoder = encoder(Role::Server, other);
            encoder.push_shared_message(message.clone()).unwrap();
            let mut slices = [std::io::IoSlice::new(&[]); 3];
            encoder.queue().slices(&mut slices);
            assert_ne!(slices[1].as_ptr(), addresses[0]);
        }
        // A client masks a copy.
        let mut client = encoder(Role::Client, settings);
        client.push_shared_message(message.clone()).unwrap();
        client.push_shared_message(message.clone()).unwrap();
        let input = queued(&mut client);
        let decoded = decode_by(decoder(Role::Server, false, 100_000), [&*input]);
        let message = message.into_message();
        assert_eq!(decoded.messages, [message.clone(), message]);
    }
}

/// Parts of a long item are cached apart, and one that does not become shorter is sent as it is.
#[test]
fn parts_of_shared_messages_are_apart() {
    let mut item = SharedBytes::from(Bytes::from([vec![b'x'; 500], noise(500)].concat()));
    let first = SharedMessage::new(item.split_to(500), false);
    let second = SharedMessage::new(item, false);
    for _ in 0..2 {
        let mut encoder = encoder(Role::Server, config::Deflate::default());
        encoder.push_shared_message(first.clone()).unwrap();
        let len = encoder.len();
        assert!(len < 100);
        encoder.push_shared_message(second.clone()).unwrap();
        assert_eq!(encoder.len(), len + 4 + 500);
        let input = queued(&mut encoder);
        let decoded = decode_by(decoder(Role::Client, false, 500), [&*input]);
        assert_eq!(
            decoded.messages,
            [binary(&[b'x'; 500]), binary(&noise(500))]
        );
    }
}

/// A slice of the caller is compressed as a message is.
#[test]
fn slices_are_compressed() {
    let mut encoder = encoder(Role::Server, config::Deflate::default());
    assert!(!encoder.sends_slice(100_000));
    encoder.push_slice(&[1; 100_000]).unwrap();
    assert!(encoder.len() < 1000);
    encoder.push_slice(&noise(1000)).unwrap();
    let input = queued(&mut encoder);
    let decoded = decode_by(decoder(Role::Client, false, 100_000), [&*input]);
    assert_eq!(
        decoded.messages,
        [binary(&[1; 100_000]), binary(&noise(1000))]
    );
}
