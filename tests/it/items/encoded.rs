//! Items that are borrowed, and items that are encoded once for many connections: on the wire they
//! are the same as owned items, and in order with them.

use std::{io::ErrorKind, pin::pin};

use bytes::{Bytes, BytesMut};
use futures::{AsyncWriteExt, FutureExt, SinkExt, StreamExt, executor::block_on};
use proptest::prelude::*;
use support::RecordingTransport;
use ws_framed::{
    CodecError, Config, Decoder, Encoded, Encoder, LengthDelimited, Lines, WsFramed, WsStream,
};

const AMPLE: usize = 1 << 24;

type Framed<C> = WsFramed<<C as Decoder>::Item, C, RecordingTransport>;

fn framed<C: Decoder>(codec: C, max: usize, ready: usize) -> (Framed<C>, RecordingTransport) {
    let recorder = RecordingTransport::new(ready);
    let config = Config::default().max_send_message_len(max).keepalive(None);
    let stream = WsStream::with_config(recorder.clone(), config).unwrap();
    (stream.framed(codec), recorder)
}

/// Polls once, then drops the future.
fn try_once<F: Future>(future: F) -> Option<F::Output> {
    pin!(future).now_or_never()
}

fn bytes(len: usize) -> Bytes {
    vec![7; len].into()
}

fn encoded(len: usize) -> Encoded<LengthDelimited> {
    Encoded::new(&mut LengthDelimited::new(AMPLE), bytes(len)).unwrap()
}

#[derive(Clone, Debug)]
enum Step {
    Feed(usize),
    FeedRef(usize),
    FeedEncoded(usize),
    Flush,
    /// The transport becomes ready this many times.
    Ready(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let len = || prop_oneof![4 => 0_usize..40, 1 => 40_usize..300];
    let step = prop_oneof![
        3 => len().prop_map(Step::Feed),
        1 => len().prop_map(Step::FeedRef),
        3 => len().prop_map(Step::FeedEncoded),
        1 => Just(Step::Flush),
        2 => (1_usize..5).prop_map(Step::Ready),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    /// Owned, borrowed and encoded items arrive in the order in which they were fed, in messages
    /// within the limit. An item whose future is dropped while it waits is not sent.
    #[test]
    fn any_mix_arrives_in_order(steps in steps(), max in 1_usize..200) {
        let (mut us, recorder) = framed(LengthDelimited::new(AMPLE), max, 0);
        let mut fed = Vec::new();
        for (n, step) in (0_u8..).zip(steps) {
            let item = |len| Bytes::from(vec![n; len]);
            let (took, item) = match step {
                Step::Feed(len) => (try_once(us.feed(item(len))), item(len)),
                Step::FeedRef(len) => (try_once(us.feed_ref(&item(len))), item(len)),
                Step::FeedEncoded(len) => {
                    let once = Encoded::from_ref(&mut LengthDelimited::new(AMPLE), &item(len)).unwrap();
                    (try_once(us.feed_encoded(&once)), item(len))
                }
                Step::Flush => {
                    if let Some(flushed) = try_once(us.flush()) {
                        flushed.unwrap();
                        prop_assert_eq!(&recorder.all_sent(), &frames(&fed));
                    }
                    continue;
                }
                Step::Ready(times) => {
                    recorder.add_ready(times);
                    continue;
                }
            };
            if let Some(took) = took {
                took.unwrap();
                fed.push(item);
            }
        }
        recorder.add_ready(usize::MAX);
        block_on(us.flush()).unwrap();
        prop_assert_eq!(recorder.all_sent(), frames(&fed));
        prop_assert!(recorder.sent().iter().all(|message| (1..=max).contains(&message.len())));
        prop_assert_eq!(us.handle().stats().messages_sent, recorder.sent().len() as u64);
    }
}

fn frames(items: &[Bytes]) -> Vec<u8> {
    let mut frames = BytesMut::new();
    for item in items {
        LengthDelimited::new(AMPLE)
            .encode(item.clone(), &mut frames)
            .unwrap();
    }
    frames.to_vec()
}

/// Owned and encoded items that fit into one message are sent in one.
#[test]
fn small_items_share_a_message() {
    let (mut us, recorder) = framed(LengthDelimited::new(AMPLE), 1000, usize::MAX);
    block_on(async {
        for len in [20, 30, 40] {
            us.feed_encoded(&encoded(len)).await.unwrap();
            us.feed(bytes(len)).await.unwrap();
        }
        us.flush().await.unwrap();
    });
    assert_eq!(recorder.sent().len(), 1);
}

/// Feeding and flushing wait for a transport that takes nothing, and go on when it is ready.
#[test]
fn feed_waits_for_the_transport() {
    let (mut us, recorder) = framed(LengthDelimited::new(AMPLE), 1000, 0);
    let large = encoded(10_000);
    try_once(us.feed_encoded(&large)).unwrap().unwrap();
    assert!(try_once(us.feed_encoded(&large)).is_none());
    assert!(try_once(us.feed(bytes(1))).is_none());
    assert!(try_once(us.feed_ref(b"1")).is_none());
    assert!(try_once(us.flush()).is_none());
    assert!(recorder.sent().is_empty());
    recorder.add_ready(10);
    try_once(us.feed(bytes(1))).unwrap().unwrap();
    assert_eq!(recorder.all_sent(), large.bytes()[..10_000]);
}

/// A flush after the end reports once that an encoded item was not sent.
#[test]
fn unflushed_item_is_reported_once() {
    let (mut us, recorder) = framed(LengthDelimited::new(AMPLE), 1000, 0);
    try_once(us.feed_encoded(&encoded(10))).unwrap().unwrap();
    recorder.end();
    block_on(async {
        assert!(us.next().await.unwrap().is_err());
        let is_broken = |result: Result<(), CodecError>| matches!(result, Err(CodecError::Io(error)) if error.kind() == ErrorKind::BrokenPipe);
        assert!(is_broken(us.flush().await));
        assert!(is_broken(us.feed_encoded(&encoded(10)).await));
        us.flush().await.unwrap();
    });
    assert!(recorder.sent().is_empty());
}

/// Bytes that are written after an encoded item, through `into_stream`, follow it.
#[test]
fn bytes_follow_an_encoded_item() {
    let (mut us, recorder) = framed(Lines::new(100), 1000, usize::MAX);
    let hello = Encoded::from_ref(&mut Lines::new(100), "hello").unwrap();
    block_on(async {
        us.feed_encoded(&hello).await.unwrap();
        let mut stream = us.into_stream();
        stream.write_all(b"bytes").await.unwrap();
        stream.flush().await.unwrap();
    });
    assert_eq!(recorder.all_sent(), b"hello\nbytes");
}

/// An item that the codec refuses, owned, borrowed or to be encoded, is not sent, and the sink
/// stays usable.
#[test]
fn refused_items_are_not_sent() {
    let (mut us, recorder) = framed(Lines::new(5), 1000, usize::MAX);
    block_on(async {
        us.feed_ref("one").await.unwrap();
        for too_long in [
            us.feed("too long".to_owned()).await,
            us.feed_ref("too long").await,
        ] {
            let too_long = too_long.unwrap_err();
            assert!(
                matches!(too_long, CodecError::ItemTooLarge { len: 8, max: 5 }),
                "{too_long:?}"
            );
        }
        for two_lines in [us.feed("a\nb".to_owned()).await, us.feed_ref("a\nb").await] {
            assert!(matches!(two_lines, Err(CodecError::Unencodable(_))));
        }
        us.feed_ref("two").await.unwrap();
        us.flush().await.unwrap();
    });
    assert_eq!(recorder.all_sent(), b"one\ntwo\n");
    assert!(Encoded::from_ref(&mut Lines::new(5), "too long").is_err());
    assert!(Encoded::new(&mut Lines::new(5), "a\nb".to_owned()).is_err());
}

/// An encoded item can be cloned and used by other tasks.
#[test]
fn encoded_item_is_shared() {
    fn is_shared<T: Send + Sync + Clone + Unpin>(_: &T) {}

    let mut codec = LengthDelimited::new(10);
    let once = Encoded::new(&mut codec, bytes(3)).unwrap();
    is_shared(&once);
    assert_eq!(once.clone().bytes(), &[0, 0, 0, 3, 7, 7, 7][..]);
}
