//! One poll reads a bounded number of bytes from a peer that always has more, and then yields.

use std::task::Poll;

use bytes::BytesMut;
use futures::{AsyncReadExt, StreamExt};
use support::{
    Frame, ROLES,
    flood::{BytesRead, endless_peer, scaled},
    poll_once, run,
};
use ws_framed::{
    CloseFrame, CodecError, Config, Decoder, LengthDelimited, Lines, TextPolicy, WsStream,
};

/// The bytes that one poll may read: 256 KiB, and the excess of the last read.
const MAX_READ: usize = (256 + 8) * 1024;

/// The frames that a peer sends once, and those that it then sends forever.
type Flood = (Vec<Frame>, Vec<Frame>);

fn repeated(frames: impl Into<Vec<Frame>>) -> Flood {
    (Vec::new(), frames.into())
}

/// Floods without data.
fn without_data() -> Vec<Flood> {
    let start = || vec![Frame::binary([]).unfinished()];
    let empty = || Frame::continuation([]).unfinished();
    // Messages of more empty fragments than one poll may read.
    let mut slow = vec![Frame::binary([]).unfinished()];
    slow.resize(scaled(60_000), empty());
    slow.push(Frame::continuation([]));
    vec![
        repeated([Frame::ping([])]),
        repeated([Frame::ping([0; 125])]),
        repeated([Frame::pong([])]),
        repeated([Frame::binary([])]),
        repeated([Frame::text([])]),
        (start(), vec![empty()]),
        (start(), vec![empty(), Frame::ping([])]),
        repeated(slow),
    ]
}

/// Asserts that, in both roles and for each flood, each call of `poll` reads a bounded number of
/// bytes, is pending, and wakes its task.
fn assert_bounded(config: &Config, floods: &[Flood], poll: impl Fn(&mut WsStream) -> (bool, bool)) {
    for role in ROLES {
        for (row, (first, pattern)) in floods.iter().enumerate() {
            let (mut ours, total) = run(endless_peer(
                role,
                config.clone(),
                first,
                pattern,
                32 * MAX_READ,
            ));
            let mut before = total.get();
            for _ in 0..3 {
                let (is_ready, is_woken) = poll(&mut ours);
                assert!(!is_ready, "row {row} as {role:?}");
                assert!(is_woken, "row {row} as {role:?} is not woken");
                before = assert_few_read(&total, before);
            }
        }
    }
}

/// Asserts that one poll read at most [`MAX_READ`] bytes. Returns the bytes read in all.
fn assert_few_read(total: &BytesRead, before: usize) -> usize {
    let now = total.get();
    assert!(
        now - before <= MAX_READ,
        "{} bytes in one poll",
        now - before
    );
    now
}

/// A read without data to return is bounded.
#[test]
fn read_is_bounded() {
    let config = Config::default().text(TextPolicy::Event);
    assert_bounded(&config, &without_data(), |ours| {
        let (read, woken) = poll_once(ours.read(&mut [0; 8]));
        (read.is_ready(), woken)
    });
}

/// A `close_with` that discards data is bounded.
#[test]
fn close_is_bounded() {
    let mut floods = without_data();
    floods.push(repeated([Frame::binary([1])]));
    floods.push(repeated([Frame::binary([1; 1000])]));
    let mut sparse = vec![Frame::binary([]); 127];
    sparse.push(Frame::binary([1]));
    floods.push(repeated(sparse));
    let config = Config::default().text(TextPolicy::Bytes);
    assert_bounded(&config, &floods, |ours| {
        let (closed, woken) = poll_once(ours.close_with(CloseFrame::normal()));
        (closed.is_ready(), woken)
    });
}

/// A read that discards data after a violation is bounded.
#[test]
fn discarding_after_violation_is_bounded() {
    let floods = [
        (vec![Frame::new(3, [])], vec![Frame::ping([])]),
        (
            vec![Frame::binary([1]).claiming(1 << 63)],
            vec![Frame::ping([])],
        ),
        (vec![Frame::text([])], vec![Frame::ping([])]),
        (vec![Frame::text([])], vec![Frame::binary([])]),
        (vec![Frame::text([])], vec![Frame::binary([1; 1000])]),
    ];
    assert_bounded(&Config::default(), &floods, |ours| {
        let (read, woken) = poll_once(ours.read(&mut [0; 8]));
        (read.is_ready(), woken)
    });
}

/// A codec that discards its input and decodes no item.
struct Discard;

impl Decoder for Discard {
    type Item = ();
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<()>, CodecError> {
        src.clear();
        Ok(None)
    }
}

/// A wait for an item is bounded when messages complete no item.
#[test]
fn wait_for_item_is_bounded() {
    let mut floods = without_data();
    floods.push(repeated([Frame::binary([1])]));
    floods.push(repeated([Frame::binary([1; 1000])]));
    for role in ROLES {
        for (first, pattern) in &floods {
            let config = Config::default().text(TextPolicy::Bytes);
            let (ours, total) = run(endless_peer(
                role,
                config.clone(),
                first,
                pattern,
                32 * MAX_READ,
            ));
            let mut ours = ours.framed(Discard);
            let (item, woken) = poll_once(ours.next());
            assert!(item.is_pending() && woken);
            assert_few_read(&total, 0);
        }
        // An item of the largest size, one byte for each message.
        let first = [Frame::binary((1u32 << 30).to_be_bytes())];
        let pattern = [Frame::binary([b'x'])];
        let (ours, total) = run(endless_peer(
            role,
            Config::default(),
            &first,
            &pattern,
            32 * MAX_READ,
        ));
        let mut ours = ours.framed(LengthDelimited::new(1 << 30));
        assert!(poll_once(ours.next()).0.is_pending());
        assert_few_read(&total, 0);
        let (ours, total) = run(endless_peer(
            role,
            Config::default(),
            &[],
            &pattern,
            32 * MAX_READ,
        ));
        let mut ours = ours.framed(Lines::new(1 << 30));
        assert!(poll_once(ours.next()).0.is_pending());
        assert_few_read(&total, 0);
    }
}

/// Polls that yield lose no data, and keepalive does not take them for silence.
#[test]
fn yielding_loses_no_data() {
    for role in ROLES {
        let pattern: Vec<_> = (0..=255).map(|byte| Frame::binary([byte])).collect();
        run(async {
            let (mut ours, total) =
                endless_peer(role, Config::default(), &[], &pattern, 32 * MAX_READ).await;
            let mut read = vec![0; 3 * MAX_READ];
            ours.read_exact(&mut read).await.unwrap();
            assert!(total.get() > 3 * MAX_READ);
            let expected = (0..=255).cycle();
            assert!(read.iter().copied().eq(expected.take(read.len())));
            assert_eq!(ours.handle().stats().pings_sent, 0);
        });
    }
}

/// A poll returns data as soon as it has some.
#[test]
fn data_ends_the_poll() {
    for role in ROLES {
        let pattern = [Frame::ping([]), Frame::binary("data")];
        let (mut ours, total) = run(endless_peer(
            role,
            Config::default(),
            &[],
            &pattern,
            32 * MAX_READ,
        ));
        let (read, _) = poll_once(ours.read(&mut [0; 8]));
        assert!(matches!(read, Poll::Ready(Ok(4))));
        assert!(total.get() <= 16 * 1024, "the poll goes on after data");
    }
}
