//! An item that is encoded once and sent to many is not copied for each.

use bytes::Bytes;
use futures::{SinkExt, executor::block_on};
use support::{
    RecordingTransport,
    alloc::{exclusive, measure},
};
use ws_framed::{Config, Decoder, Encoded, LengthDelimited, WsFramed, WsStream};

const AMPLE: usize = 1 << 24;

type Framed<C> = WsFramed<<C as Decoder>::Item, C, RecordingTransport>;

fn framed<C: Decoder>(codec: C, max: usize, ready: usize) -> (Framed<C>, RecordingTransport) {
    let recorder = RecordingTransport::new(ready);
    let config = Config::default().max_send_message_len(max).keepalive(None);
    let stream = WsStream::with_config(recorder.clone(), config).unwrap();
    (stream.framed(codec), recorder)
}

fn bytes(len: usize) -> Bytes {
    vec![7; len].into()
}

fn encoded(len: usize) -> Encoded<LengthDelimited> {
    Encoded::new(&mut LengthDelimited::new(AMPLE), bytes(len)).unwrap()
}

/// A hundred connections, and a value of more than a message: what is handed to the transports is the memory of
/// the one value.
#[test]
fn no_connection_gets_a_copy() {
    let _alone = exclusive();
    for len in [10, 1000, 1 << 20] {
        // Other threads may allocate meanwhile: the harness, and what makes up scripts for the next test.
        let peak = (0..5).map(|_| cost_of_a_hundred_copies(len)).min();
        assert!(peak.unwrap() < 16 * 1024, "{len}: {peak:?}");
    }
}

/// The bytes that it takes to send a value of this length over a hundred connections.
fn cost_of_a_hundred_copies(len: usize) -> usize {
    let once = encoded(len);
    let memory = once.bytes().as_ptr_range();
    let mut ends: Vec<_> = (0..100)
        .map(|_| framed(LengthDelimited::new(AMPLE), 64 * 1024, usize::MAX))
        .collect();
    let ((), cost) = measure(|| {
        for (us, _) in &mut ends {
            block_on(us.feed_encoded(&once)).unwrap();
            block_on(us.flush()).unwrap();
        }
    });
    for (_, recorder) in &ends {
        assert_eq!(&recorder.all_sent(), once.bytes());
        for message in recorder.sent() {
            assert!(message.len() <= 64 * 1024);
            assert!(memory.contains(&message.as_ptr()), "it was copied");
        }
    }
    cost.peak
}
