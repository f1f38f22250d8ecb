//! Items that are lent, and items that are encoded once and sent to many: the same on the wire as any other,
//! in order with them, and without a copy for each connection.

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

/// Polls once, and drops it.
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
    /// The transport gets ready so often.
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
    /// However they are mixed, and wherever one is dropped while it waits: what was fed arrives, in order, in
    /// messages of at most the length that is set, and nothing else does.
    #[test]
    fn items_arrive_in_order_however_they_are_fed(steps in steps(), max in 1_usize..200) {
        let (mut us, recorder) = framed(LengthDelimited::new(AMPLE), max, 0);
        let mut fed = Vec::new();
        for (n, step) in (0_u8..).zip(steps) {
            let item = |len| Bytes::from(vec![n; len]);
            let (took, item) = match step {
                Step::Feed(len) => (try_once(us.feed(item(len))), item(len)),
                Step::FeedRef(len) => (try_once(us.feed_ref(&item(len))), item(len)),
                Step::FeedEncoded(len) => {
                    let once = Encoded::by_ref(&mut LengthDelimited::new(AMPLE), &item(len)).unwrap();
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

#[test]
fn what_fits_together_into_a_message_travels_in_one() {
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

#[test]
fn whoever_feeds_waits_for_a_transport_that_takes_nothing() {
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

#[test]
fn what_was_not_flushed_when_the_link_ended_is_told() {
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

#[test]
fn the_byte_view_goes_on_behind_an_encoded_item() {
    let (mut us, recorder) = framed(Lines::new(100), 1000, usize::MAX);
    let hello = Encoded::by_ref(&mut Lines::new(100), "hello").unwrap();
    block_on(async {
        us.feed_encoded(&hello).await.unwrap();
        let mut stream = us.into_stream();
        stream.write_all(b"bytes").await.unwrap();
        stream.flush().await.unwrap();
    });
    assert_eq!(recorder.all_sent(), b"hello\nbytes");
}

#[test]
fn an_item_that_is_lent_and_refused_leaves_everything_as_it_was() {
    let (mut us, recorder) = framed(Lines::new(5), 1000, usize::MAX);
    block_on(async {
        us.feed_ref("one").await.unwrap();
        let too_long = us.feed_ref("too long").await;
        assert!(matches!(too_long, Err(CodecError::FrameTooLarge { .. })));
        let two_lines = us.feed_ref("a\nb").await;
        assert!(matches!(two_lines, Err(CodecError::Unencodable(_))));
        us.feed_ref("two").await.unwrap();
        us.flush().await.unwrap();
    });
    assert_eq!(recorder.all_sent(), b"one\ntwo\n");
    assert!(Encoded::by_ref(&mut Lines::new(5), "too long").is_err());
    assert!(Encoded::new(&mut Lines::new(5), "a\nb".to_owned()).is_err());
}

#[test]
fn an_encoded_item_goes_to_other_tasks() {
    fn is_shared<T: Send + Sync + Clone + Unpin>(_: &T) {}

    let mut codec = LengthDelimited::new(10);
    let once = Encoded::new(&mut codec, bytes(3)).unwrap();
    is_shared(&once);
    assert_eq!(once.clone().bytes(), &[0, 0, 0, 3, 7, 7, 7][..]);
}
