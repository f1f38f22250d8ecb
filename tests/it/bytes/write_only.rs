//! A connection that is only written to stays alive: what must wait also reads control frames, and
//! at most one data message, which it keeps for the reader.

use std::{
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use bytes::Bytes;
use futures::{
    AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt,
    executor::block_on,
    future::{BoxFuture, join},
};
use support::{
    Frame, MemoryTransport, Peer, WakeFlag, assert_both_idle, assert_idle,
    cancel::{encoded, framed},
    config_without_keepalive,
    frame::{BINARY, PONG},
    memory_ends, poll_until_idle, read_to_end, timeout, ws_error,
};
use ws_framed::{CloseFrame, WsErr, WsStream};

use super::{fill, on_small_transports};

/// More than the transports of the tests and tungstenite's write buffer hold.
fn long_data() -> Vec<u8> {
    (0..251_u8).cycle().take(200_000).collect()
}

/// The data of this length that a peer receives, and the payload of the last pong, which must come.
async fn receive_with_pong(peer: &mut Peer, len: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut data, mut pong) = (Vec::new(), None);
    while data.len() < len || pong.is_none() {
        let frame = peer.next().await.expect("more data, or a pong");
        match frame.opcode {
            BINARY => data.extend(frame.payload),
            PONG => pong = Some(frame.payload),
            _ => panic!("{frame:?}"),
        }
    }
    (data, pong.unwrap())
}

/// Sends frames to a connection on which `blocked` waits, which each of them has to wake.
async fn send_to_blocked<F: Future>(
    mut blocked: Pin<&mut F>,
    woken: &Arc<WakeFlag>,
    peer: &mut Peer,
    frames: impl IntoIterator<Item = Frame>,
) {
    for frame in frames {
        peer.send(frame).await;
        assert!(woken.take(), "a blocked task reads what arrives");
        assert_idle(blocked.as_mut(), woken);
    }
}

/// A blocked write replies to pings. A late pong replies to the latest ping (RFC 6455 section
/// 5.5.3).
#[test]
fn blocked_write_replies_to_pings() {
    on_small_transports(async |mut ours, mut peer| {
        let data = long_data();
        let woken = Arc::new(WakeFlag::default());
        let mut writing = pin!(async {
            ours.write_all(&data).await.unwrap();
            ours.flush().await.unwrap();
        });
        assert_idle(writing.as_mut(), &woken);
        let pings = ["one", "two", "three"].map(Frame::ping);
        send_to_blocked(writing.as_mut(), &woken, &mut peer, pings).await;
        let (received, ()) = join(receive_with_pong(&mut peer, data.len()), writing).await;
        assert_eq!(received.1, b"three");
        assert!(received.0 == data, "wrong data");
    });
}

/// A blocked write keeps one data message for the reader, which reads all messages in order.
#[test]
fn messages_arrive_in_order() {
    on_small_transports(async |ours, mut peer| {
        let data = long_data();
        let (mut reader, mut writer) = ours.split();
        let woken = Arc::new(WakeFlag::default());
        let mut writing = pin!(async {
            writer.write_all(&data).await.unwrap();
            writer.flush().await.unwrap();
        });
        assert_idle(writing.as_mut(), &woken);
        let first = [Frame::binary([0])];
        send_to_blocked(writing.as_mut(), &woken, &mut peer, first).await;
        let mut read = [0; 100];
        {
            // The write stays blocked, since the peer does not read.
            let mut sending = pin!(peer.send_all((1..100).map(|n| Frame::binary([n]))));
            assert!(poll_until_idle(sending.as_mut()).is_pending());
            assert_idle(writing.as_mut(), &woken);
            join(reader.read_exact(&mut read), sending).await.0.unwrap();
        }
        assert!(read.into_iter().eq(0..100));
        assert_idle(writing.as_mut(), &woken);
        let ((received, _), ()) = join(peer.receive(data.len()), writing).await;
        assert!(received == data, "wrong data");
    });
}

/// A blocked write keeps one data message at most, and leaves the others in the transport.
#[test]
fn one_message_is_kept() {
    const CAPACITY: usize = 4;
    block_on(timeout(async {
        let (ours, theirs) = memory_ends(CAPACITY);
        let ours = MemoryTransport::new(ours);
        let ours = WsStream::with_config(ours, config_without_keepalive());
        let (mut ours, mut peer) = (ours.unwrap().boxed(), Peer::memory(theirs));
        fill(&mut ours);
        let mut writing = pin!(ours.write(b"blocked"));
        for _ in 0..=CAPACITY {
            assert!(poll_until_idle(writing.as_mut()).is_pending());
            peer.send(Frame::binary("x")).await;
        }
        assert!(poll_until_idle(writing.as_mut()).is_pending());
        assert!(poll_until_idle(pin!(peer.send(Frame::binary("x")))).is_pending());
    }));
}

/// A parked reader is woken for a message that a blocked write keeps.
#[test]
fn kept_message_wakes_reader() {
    on_small_transports(async |mut ours, mut peer| {
        fill(&mut ours);
        let (mut reader, mut writer) = ours.split();
        let woken = Arc::new(WakeFlag::default());
        let mut buf = [0; 8];
        let mut read = pin!(reader.read(&mut buf));
        let mut writing = pin!(writer.write(b"blocked"));
        assert_both_idle(read.as_mut(), &woken, writing.as_mut());
        peer.send(Frame::binary("kept")).await;
        // The writer is the first to poll, and takes the message from the transport.
        assert!(poll_until_idle(writing.as_mut()).is_pending());
        assert!(woken.take(), "the message is the reader's");
        assert_eq!(read.await.unwrap(), 4);
        assert_eq!(&buf[..4], b"kept");
    });
}

/// A blocked `send` of an item replies to pings, and keeps an item for the stream.
#[test]
fn blocked_send_of_item() {
    on_small_transports(async |ours, mut peer| {
        let (mut sink, mut items) = framed(ours).split();
        let item = Bytes::from(vec![7; 1000]);
        let woken = Arc::new(WakeFlag::default());
        let mut sending = pin!(async {
            for _ in 0..10 {
                sink.send(item.clone()).await.unwrap();
            }
        });
        assert_idle(sending.as_mut(), &woken);
        let frames = [Frame::ping("?"), Frame::binary(encoded(&[b"one"]))];
        send_to_blocked(sending.as_mut(), &woken, &mut peer, frames).await;
        assert_eq!(items.next().await.unwrap().unwrap(), "one");
        peer.send(Frame::binary(encoded(&[b"two", b"three"]))).await;
        for expected in ["two", "three"] {
            assert_eq!(items.next().await.unwrap().unwrap(), expected);
        }
        assert_idle(sending.as_mut(), &woken);
        let expected = encoded(&[&item[..]; 10]);
        let (received, ()) = join(receive_with_pong(&mut peer, expected.len()), sending).await;
        assert_eq!(received.1, b"?");
        assert!(received.0 == expected, "wrong data");
    });
}

/// A blocked write that is dropped loses neither the message that it kept nor the pong, and sends
/// nothing.
#[test]
fn dropped_write_keeps_the_message() {
    on_small_transports(async |mut ours, mut peer| {
        let written = fill(&mut ours);
        {
            let woken = Arc::new(WakeFlag::default());
            let mut writing = pin!(ours.write(b"dropped"));
            assert_idle(writing.as_mut(), &woken);
            let frames = [Frame::ping("?"), Frame::binary("kept")];
            send_to_blocked(writing.as_mut(), &woken, &mut peer, frames).await;
        }
        let mut kept = [0; 4];
        ours.read_exact(&mut kept).await.unwrap();
        assert_eq!(&kept, b"kept");
        let (received, flushed) = join(receive_with_pong(&mut peer, written), ours.flush()).await;
        flushed.unwrap();
        assert_eq!(received.1, b"?");
        assert!(received.0 == vec![0; written], "wrong data");
    });
}

/// The message that a blocked write kept is among the unread bytes of `into_transport`, behind those
/// of the message before it.
#[test]
fn transport_is_returned_with_the_message() {
    for is_partly_read in [false, true] {
        on_small_transports(async |mut ours, mut peer| {
            if is_partly_read {
                peer.send(Frame::binary("first")).await;
                ours.read_exact(&mut [0; 2]).await.unwrap();
            }
            fill(&mut ours);
            {
                let woken = Arc::new(WakeFlag::default());
                let mut writing = pin!(ours.write(b"dropped"));
                assert_idle(writing.as_mut(), &woken);
                let frames = [Frame::binary("kept")];
                send_to_blocked(writing.as_mut(), &woken, &mut peer, frames).await;
            }
            let expected = if is_partly_read { "rstkept" } else { "kept" };
            assert_eq!(ours.into_transport().1, expected);
        });
    }
}

/// What a caller may wait for, once the connection is full.
type Wait = fn(&mut WsStream) -> BoxFuture<'_, io::Result<()>>;

const WAITS: [Wait; 4] = [
    |ours| Box::pin(async { ours.write(&[0]).await.map(drop) }),
    |ours| Box::pin(ours.flush()),
    |ours| Box::pin(ours.close()),
    |ours| {
        ours.handle().close(CloseFrame::normal()).unwrap();
        Box::pin(ours.flush())
    },
];

/// A flush and a close that must wait reply to pings, and keep a data message for the reader.
#[test]
fn blocked_flush_and_close() {
    for (wait, closes) in WAITS[1..].iter().zip([false, true, true]) {
        println!("closes: {closes}");
        on_small_transports(async |mut ours, mut peer| {
            let written = fill(&mut ours);
            {
                let woken = Arc::new(WakeFlag::default());
                let mut waiting = pin!(wait(&mut ours));
                assert_idle(waiting.as_mut(), &woken);
                let frames = [Frame::ping("?"), Frame::binary("kept")];
                send_to_blocked(waiting.as_mut(), &woken, &mut peer, frames).await;
                let script = receive_with_pong(&mut peer, written);
                let ((data, pong), done) = join(script, waiting).await;
                done.unwrap();
                assert_eq!(pong, b"?");
                assert!(data == vec![0; written], "wrong data");
            }
            if closes {
                peer.expect(Frame::close(1000, "")).await;
            }
            peer.send(Frame::close(1000, "")).await;
            let (data, end) = read_to_end(&mut ours).await;
            assert_eq!(data, b"kept");
            end.unwrap();
        });
    }
}

/// A blocked write or flush learns of the peer's close without a reader, and returns `BrokenPipe`.
#[test]
fn blocked_write_learns_of_peer_close() {
    for wait in &WAITS[..2] {
        on_small_transports(async |mut ours, mut peer| {
            fill(&mut ours);
            let woken = Arc::new(WakeFlag::default());
            {
                let mut waiting = pin!(wait(&mut ours));
                assert_idle(waiting.as_mut(), &woken);
                peer.send(Frame::close(1000, "done")).await;
                assert!(woken.take(), "a blocked task reads what arrives");
                let Poll::Ready(Err(error)) = poll_until_idle(waiting) else {
                    panic!("the peer has closed");
                };
                assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
                assert!(matches!(ws_error(&error), WsErr::Closed));
            }
            let script = async {
                let received = peer.until_close().await;
                drop(peer);
                received
            };
            let ((data, end), received) = join(read_to_end(&mut ours), script).await;
            assert!(data.is_empty());
            end.unwrap();
            assert_eq!((received.1, received.2.as_str()), (1000, "done"));
        });
    }
}

/// A blocked `send` of an item learns of the peer's close without a reader.
#[test]
fn blocked_item_learns_of_peer_close() {
    on_small_transports(async |ours, mut peer| {
        let mut ours = framed(ours);
        let woken = Arc::new(WakeFlag::default());
        let mut sending = pin!(async {
            loop {
                if let Err(error) = ours.send(Bytes::from(vec![7; 1000])).await {
                    return io::Error::from(error);
                }
            }
        });
        assert_idle(sending.as_mut(), &woken);
        peer.send(Frame::close(1000, "done")).await;
        assert!(woken.take(), "a blocked task reads what arrives");
        let Poll::Ready(error) = poll_until_idle(sending) else {
            panic!("the peer has closed");
        };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    });
}
