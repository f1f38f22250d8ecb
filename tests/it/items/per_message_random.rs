//! `per_message` with random items, fragments, flushes and pings.

use futures::{SinkExt, StreamExt, executor::block_on, future};
use proptest::prelude::*;
use support::{
    Frame, ROLES, Setup, config_without_keepalive, fragments,
    frame::{BINARY, TEXT},
    timeout,
};
use ws_framed::{Encoded, Json, LengthDelimited, bytes::Bytes};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Messages of either kind, in any fragments and with pings between them, are items.
    #[test]
    fn received_messages_are_items(
        sent in prop::collection::vec((".{0,40}", any::<bool>(), prop::collection::vec(0..60_usize, 0..4)), 1..12),
        role in prop::sample::select(&ROLES[..]),
    ) {
        block_on(timeout(async {
            let (ours, mut peer) = Setup::Pipe(role).open(config_without_keepalive()).await;
            let mut ours = ours.per_message(Json::<String>::new(1 << 20));
            for (text, is_text, splits) in &sent {
                let json = serde_json::to_vec(text).unwrap();
                let mut splits: Vec<_> = splits.iter().map(|split| *split.min(&json.len())).collect();
                splits.sort_unstable();
                let starts = [0].into_iter().chain(splits.iter().copied());
                let ends = splits.iter().copied().chain([json.len()]);
                let parts: Vec<_> = starts.zip(ends).map(|(from, to)| &json[from..to]).collect();
                let opcode = if *is_text { TEXT } else { BINARY };
                for frame in fragments(opcode, &parts) {
                    peer.send(frame).await;
                    peer.send(Frame::ping("")).await;
                }
            }
            peer.send(Frame::close(1000, "")).await;
            for (text, ..) in &sent {
                assert_eq!(&ours.next().await.unwrap().unwrap(), text);
            }
            assert!(ours.next().await.is_none());
        }));
    }

    /// Items that are fed in any way and flushed at any time are one message each.
    #[test]
    fn fed_items_are_messages(
        fed in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), 0..3_u8, any::<bool>()), 1..20),
        role in prop::sample::select(&ROLES[..]),
    ) {
        block_on(timeout(async {
            let (ours, mut peer) = Setup::OneByte(role).open(config_without_keepalive()).await;
            let mut ours = ours.per_message(LengthDelimited::new(100));
            let feeding = async {
                for (bytes, how, flushes) in &fed {
                    let item = Bytes::copy_from_slice(bytes);
                    match how {
                        0 => ours.feed(item).await.unwrap(),
                        1 => ours.feed_ref(bytes).await.unwrap(),
                        _ => {
                            let item = Encoded::new(ours.codec_mut(), item).unwrap();
                            ours.feed_encoded(&item).await.unwrap();
                        }
                    }
                    if *flushes {
                        ours.flush().await.unwrap();
                    }
                }
                ours.flush().await.unwrap();
            };
            let reading = async {
                for (bytes, ..) in &fed {
                    peer.expect(Frame::binary(bytes.clone())).await;
                }
            };
            future::join(feeding, reading).await;
        }));
    }
}
