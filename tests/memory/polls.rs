//! One poll takes a bounded number of bytes from a peer that always has more, and then lets others run.

use std::task::Poll;

use bytes::BytesMut;
use futures::{AsyncReadExt, StreamExt};
use support::{
    Frame, ROLES,
    alloc::exclusive,
    flood::{BytesRead, endless_peer, scaled},
    poll_once, run,
};
use ws_framed::{
    CloseFrame, CodecError, Config, Decoder, LengthDelimited, Lines, TextPolicy, WsStream,
};

/// What one poll may take: 256 KiB, and what a last read takes more.
const MOST: usize = (256 + 8) * 1024;

/// What a peer sends once, and what it sends for ever after that.
type Flood = (Vec<Frame>, Vec<Frame>);

fn again(frames: impl Into<Vec<Frame>>) -> Flood {
    (Vec::new(), frames.into())
}

/// Floods in which there is nothing to read.
fn nothing() -> Vec<Flood> {
    let begun = || vec![Frame::binary([]).unfinished()];
    let empty = || Frame::continuation([]).unfinished();
    // As much as a poll of the engine may take, and then a message: as many of those as there may be.
    let mut slow = vec![Frame::binary([]).unfinished()];
    slow.resize(scaled(60_000), empty());
    slow.push(Frame::continuation([]));
    vec![
        again([Frame::ping([])]),
        again([Frame::ping([0; 125])]),
        again([Frame::pong([])]),
        again([Frame::binary([])]),
        again([Frame::text([])]),
        (begun(), vec![empty()]),
        (begun(), vec![empty(), Frame::ping([])]),
        again(slow),
    ]
}

/// In both roles, each flood, several times in a row: what `poll` does in one call takes a bounded number of
/// bytes, comes to no result, and asks to go on.
fn is_bounded(config: &Config, floods: &[Flood], poll: impl Fn(&mut WsStream) -> (bool, bool)) {
    for role in ROLES {
        for (row, (first, pattern)) in floods.iter().enumerate() {
            let (mut ours, taken) = run(endless_peer(
                role,
                config.clone(),
                first,
                pattern,
                32 * MOST,
            ));
            let mut before = taken.get();
            for _ in 0..3 {
                let (is_ready, is_woken) = poll(&mut ours);
                assert!(!is_ready, "row {row} as {role:?}");
                assert!(is_woken, "row {row} as {role:?} would wait for ever");
                before = has_taken_little(&taken, before);
            }
        }
    }
}

fn has_taken_little(taken: &BytesRead, before: usize) -> usize {
    let now = taken.get();
    assert!(now - before <= MOST, "{} bytes in one poll", now - before);
    now
}

#[test]
fn a_read_is_bounded() {
    let _alone = exclusive();
    let config = Config::default().text(TextPolicy::Event);
    is_bounded(&config, &nothing(), |ours| {
        let (read, woken) = poll_once(ours.read(&mut [0; 8]));
        (read.is_ready(), woken)
    });
}

#[test]
fn a_close_is_bounded() {
    let _alone = exclusive();
    let mut floods = nothing();
    floods.push(again([Frame::binary([1])]));
    floods.push(again([Frame::binary([1; 1000])]));
    let mut sparse = vec![Frame::binary([]); 127];
    sparse.push(Frame::binary([1]));
    floods.push(again(sparse));
    let config = Config::default().text(TextPolicy::Bytes);
    is_bounded(&config, &floods, |ours| {
        let (closed, woken) = poll_once(ours.close_with(CloseFrame::normal()));
        (closed.is_ready(), woken)
    });
}

/// After a violation, what still comes is thrown away, at the same pace.
#[test]
fn a_goodbye_is_bounded() {
    let _alone = exclusive();
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
    is_bounded(&Config::default(), &floods, |ours| {
        let (read, woken) = poll_once(ours.read(&mut [0; 8]));
        (read.is_ready(), woken)
    });
}

/// Takes what it is given and makes nothing of it.
struct Swallow;

impl Decoder for Swallow {
    type Item = ();
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<()>, CodecError> {
        src.clear();
        Ok(None)
    }
}

/// Messages that carry data and never make an item.
#[test]
fn the_wait_for_an_item_is_bounded() {
    let _alone = exclusive();
    let mut floods = nothing();
    floods.push(again([Frame::binary([1])]));
    floods.push(again([Frame::binary([1; 1000])]));
    for role in ROLES {
        for (first, pattern) in &floods {
            let config = Config::default().text(TextPolicy::Bytes);
            let (ours, taken) = run(endless_peer(
                role,
                config.clone(),
                first,
                pattern,
                32 * MOST,
            ));
            let mut ours = ours.framed(Swallow);
            let (item, woken) = poll_once(ours.next());
            assert!(item.is_pending() && woken);
            has_taken_little(&taken, 0);
        }
        // A frame that is as large as its limit lets it be, a byte at a time.
        let first = [Frame::binary((1u32 << 30).to_be_bytes())];
        let pattern = [Frame::binary([b'x'])];
        let (ours, taken) = run(endless_peer(
            role,
            Config::default(),
            &first,
            &pattern,
            32 * MOST,
        ));
        let mut ours = ours.framed(LengthDelimited::new(1 << 30));
        assert!(poll_once(ours.next()).0.is_pending());
        has_taken_little(&taken, 0);
        let (ours, taken) = run(endless_peer(
            role,
            Config::default(),
            &[],
            &pattern,
            32 * MOST,
        ));
        let mut ours = ours.framed(Lines::new(1 << 30));
        assert!(poll_once(ours.next()).0.is_pending());
        has_taken_little(&taken, 0);
    }
}

/// The pauses lose nothing, and are no silence.
#[test]
fn whoever_goes_on_gets_everything() {
    let _alone = exclusive();
    for role in ROLES {
        let pattern: Vec<_> = (0..=255).map(|byte| Frame::binary([byte])).collect();
        run(async {
            let (mut ours, taken) =
                endless_peer(role, Config::default(), &[], &pattern, 32 * MOST).await;
            let mut read = vec![0; 3 * MOST];
            ours.read_exact(&mut read).await.unwrap();
            assert!(taken.get() > 3 * MOST);
            let expected = (0..=255).cycle();
            assert!(read.iter().copied().eq(expected.take(read.len())));
            assert_eq!(ours.handle().stats().pings_sent, 0);
        });
    }
}

/// Data that is there is given at once, however much nothing came before.
#[test]
fn data_ends_a_poll() {
    let _alone = exclusive();
    for role in ROLES {
        let pattern = [Frame::ping([]), Frame::binary("data")];
        let (mut ours, taken) = run(endless_peer(
            role,
            Config::default(),
            &[],
            &pattern,
            32 * MOST,
        ));
        let (read, _) = poll_once(ours.read(&mut [0; 8]));
        assert!(matches!(read, Poll::Ready(Ok(4))));
        assert!(
            taken.get() <= 16 * 1024,
            "no more than a buffer of the engine holds"
        );
    }
}
