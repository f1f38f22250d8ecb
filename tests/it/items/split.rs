//! `into_split` of the item stream: owned halves for two tasks, which send, close and end as the
//! whole does.

use std::{pin::pin, sync::Arc, time::Duration};

use futures::{AsyncReadExt, FutureExt, SinkExt, Stream, StreamExt, TryStreamExt, future};
use support::{
    Frame, IMMEDIATE, NO_TIMERS, ROLES, Role, WakeFlag, assert_both_idle, config_without_keepalive,
    flood::endless_peer, on_all_transports, on_transports, pair, poll_until_idle, run,
    run_multi_thread, ws_error,
};
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, ClosedBy, CodecError, Config, Encoded, LengthDelimited,
    Lines, ReuniteError, WsErr, WsFramed, WsHandle, WsStream, bytes::Bytes,
};

use crate::time::short_close_timeout;

fn lines(ours: WsStream) -> WsFramed<String, Lines> {
    ours.framed(Lines::new(80))
}

fn slow() -> CloseFrame {
    CloseFrame::new(CloseCode::POLICY_VIOLATION, "too slow").unwrap()
}

async fn next(stream: &mut (impl Stream<Item = Result<String, CodecError>> + Unpin)) -> String {
    stream.next().await.expect("an item").unwrap()
}

/// Our end of a connection to a peer that sends items without end, and replies to nothing.
async fn endless_items(role: Role, config: Config) -> WsStream {
    let item = [Frame::binary("\0\0\0\x04item")];
    endless_peer(role, config, &[], &item, usize::MAX).await.0
}

/// The `WsErr` of the next item, which has to be an error, and the last one.
async fn last_error(
    stream: &mut (impl Stream<Item = Result<String, CodecError>> + Unpin),
) -> WsErr {
    let Some(Err(CodecError::Io(error))) = stream.next().await else {
        panic!("no error");
    };
    assert!(stream.next().await.is_none(), "an error comes once");
    ws_error(&error).clone()
}

/// Owned, borrowed and encoded items go out in the order in which they were fed.
#[test]
fn sender_sends_every_kind_in_order() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let (mut sender, _receiver) = lines(ours).into_split();
        let encoded = Encoded::from_ref(&mut Lines::new(80), "three").unwrap();
        sender.feed("one".to_owned()).await.unwrap();
        sender.feed_ref("two").await.unwrap();
        sender.feed_encoded(&encoded).await.unwrap();
        sender.send_ref("four").await.unwrap();
        peer.expect(Frame::binary("one\ntwo\nthree\nfour\n")).await;
        sender.send_encoded(&encoded).await.unwrap();
        peer.expect(Frame::binary("three\n")).await;
        let refused = sender.feed_ref(&"x".repeat(81)).await.unwrap_err();
        assert!(matches!(refused, CodecError::ItemTooLarge { .. }));
        sender.send_ref("five").await.unwrap();
        peer.expect(Frame::binary("five\n")).await;
    });
}

/// What the sending half was fed goes out when the receiving half waits.
#[test]
fn waiting_receiver_flushes() {
    on_transports(
        &IMMEDIATE,
        &config_without_keepalive(),
        async |ours, mut peer| {
            let (mut sender, mut receiver) = lines(ours).into_split();
            sender.feed_ref("question").await.unwrap();
            let mut answer = pin!(receiver.next());
            assert!(poll_until_idle(answer.as_mut()).is_pending());
            peer.expect(Frame::binary("question\n")).await;
            peer.send(Frame::binary("answer\n")).await;
            assert_eq!(answer.await.unwrap().unwrap(), "answer");
        },
    );
}

/// Reunited halves have lost nothing: neither what was fed, nor what was received.
#[test]
fn reunited_halves_lose_nothing() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let (mut sender, mut receiver) = lines(ours).into_split();
        sender.feed_ref("fed").await.unwrap();
        peer.send(Frame::binary("one\ntwo\nth")).await;
        assert_eq!(next(&mut receiver).await, "one");
        let mut ours = sender.reunite(receiver).unwrap();
        ours.flush().await.unwrap();
        peer.expect(Frame::binary("fed\n")).await;
        assert_eq!(next(&mut ours).await, "two");
        peer.send(Frame::binary("ree\n")).await;
        let (sender, mut receiver) = ours.into_split();
        assert_eq!(next(&mut receiver).await, "three");
        receiver.reunite(sender).unwrap();
    });
}

/// Halves of two connections are not joined. Both come back, and go on.
#[test]
fn strangers_are_not_joined() {
    run(async {
        let (server, client) = pair().await;
        let (to_client, from_client) = lines(server).into_split();
        let (to_server, from_server) = lines(client).into_split();
        let ReuniteError(to_client, mut from_server) =
            to_client.reunite(from_server).map(drop).unwrap_err();
        let error = from_client.reunite(to_server).map(drop).unwrap_err();
        let text = error.to_string();
        assert_eq!(text, "the halves belong to different connections");
        let ReuniteError(to_server, from_client) = error;
        let mut server = from_client.reunite(to_client).unwrap();
        server.send_ref("hello").await.unwrap();
        assert_eq!(next(&mut from_server).await, "hello");
        to_server.reunite(from_server).unwrap();
    });
}

/// `close` of the sending half leaves the receiving half open until the peer's close frame.
#[test]
fn receiver_outlives_a_close() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let (mut sender, mut receiver) = lines(ours).into_split();
        sender.feed_ref("last").await.unwrap();
        sender.close().await.unwrap();
        peer.expect(Frame::binary("last\n")).await;
        peer.expect(Frame::close(1000, "")).await;
        peer.send(Frame::binary("late\n")).await;
        peer.send(Frame::close(1000, "")).await;
        assert_eq!(next(&mut receiver).await, "late");
        assert!(receiver.next().await.is_none());
    });
}

/// `close_with` of the sending half ends a receiving half that waits in another task.
#[test]
fn close_with_ends_a_waiting_receiver() {
    let test = || async {
        let (server, client) = pair().await;
        let (mut sender, mut receiver) = lines(server).into_split();
        let reading = tokio::spawn(async move { receiver.try_next().await });
        let member = tokio::spawn(async move {
            let mut member = lines(client);
            let last = next(&mut member).await;
            let error = last_error(&mut member).await;
            (last, error)
        });
        sender.feed_ref("last").await.unwrap();
        let outcome = sender.close_with(slow()).await.unwrap();
        let CloseOutcome::Clean {
            by: ClosedBy::Us, ..
        } = outcome
        else {
            panic!("{outcome:?}");
        };
        assert!(reading.await.unwrap().unwrap().is_none());
        let (last, error) = member.await.unwrap();
        assert_eq!(last, "last");
        let WsErr::Aborted(frame) = error else {
            panic!("{error:?}");
        };
        assert_eq!(frame, slow());
    };
    run(test());
    run_multi_thread(test());
}

/// `close_with` of the sending half ends in bounded time against a peer that sends without end and
/// does not reply, whether the receiving half is polled, idle, or dropped. The error is the
/// receiver's.
#[test]
fn close_with_is_bounded() {
    #[derive(Clone, Copy, Debug)]
    enum Receiver {
        Polled,
        Idle,
        Dropped,
    }
    for (receiving, role) in [Receiver::Polled, Receiver::Idle, Receiver::Dropped]
        .into_iter()
        .flat_map(|receiving| ROLES.map(|role| (receiving, role)))
    {
        println!("{receiving:?}, as {role:?}");
        run(async {
            let ours = endless_items(role, short_close_timeout()).await;
            let (mut sender, mut receiver) =
                ours.framed(LengthDelimited::new(1 << 20)).into_split();
            let closing = sender.close_with(slow());
            let outcome = match receiving {
                Receiver::Polled => {
                    let reading = async { while receiver.next().await.is_some() {} };
                    future::join(closing, reading).await.0
                }
                Receiver::Idle => {
                    let outcome = closing.await;
                    assert!(receiver.next().await.unwrap().is_err());
                    assert!(receiver.next().await.is_none());
                    outcome
                }
                Receiver::Dropped => {
                    drop(receiver);
                    closing.await
                }
            };
            assert_eq!(outcome.unwrap(), CloseOutcome::TimedOut);
        });
    }
}

/// `close_within` of a sending half ends at its limit against a peer that sends without end, and
/// ends the receiving half, too. So do those of the other streams.
#[test]
fn close_within_ends_at_its_limit() {
    async fn check<F>(halves: impl FnOnce(WsStream) -> F)
    where
        F: Future<Output = (CloseOutcome, WsHandle)>,
    {
        // Without the limit, it would take longer than a test may.
        let config = config_without_keepalive().close_timeout(Duration::from_secs(3600));
        let ours = endless_items(Role::Client, config).await;
        let handle = ours.handle();
        let (outcome, of_half) = halves(ours).await;
        assert_eq!(outcome, CloseOutcome::TimedOut);
        assert_eq!(handle.closed().await, CloseOutcome::TimedOut);
        assert_eq!(of_half.closed().await, CloseOutcome::TimedOut);
    }
    let limit = Duration::from_millis(50);
    run(async {
        check(async |ours| {
            let ours = ours.framed(LengthDelimited::new(1 << 20));
            let (mut sender, mut receiver) = ours.into_split();
            let (closing, handle) = (sender.close_within(slow(), limit), receiver.handle());
            let reading = async { while receiver.next().await.is_some() {} };
            (future::join(closing, reading).await.0.unwrap(), handle)
        })
        .await;
        check(async |ours| {
            let (mut sender, mut receiver) = ours.messages().into_split();
            let (closing, handle) = (sender.close_within(slow(), limit), receiver.handle());
            let reading = async { while receiver.next().await.is_some() {} };
            (future::join(closing, reading).await.0.unwrap(), handle)
        })
        .await;
        check(async |ours| {
            let (mut reader, mut writer) = ours.into_split();
            let (closing, handle) = (writer.close_within(slow(), limit), reader.handle());
            let mut rest = Vec::new();
            let reading = async { reader.read_to_end(&mut rest).await.is_err() };
            let (closed, _) = future::join(closing, reading).await;
            (closed.unwrap(), handle)
        })
        .await;
    });
}

/// A blocked sender is woken when there is room, although the receiver was the last to poll the
/// transport.
#[test]
fn room_wakes_blocked_sender() {
    let config = config_without_keepalive().max_send_message_len(4096);
    on_transports(&NO_TIMERS, &config, async |ours, mut peer| {
        let (mut sender, mut receiver) = ours.framed(LengthDelimited::new(1 << 20)).into_split();
        let woken = Arc::new(WakeFlag::default());
        let mut receiving = pin!(receiver.next());
        let item = Bytes::from(vec![0; 4096]);
        let mut sending = pin!(async { while sender.feed_ref(&item).await.is_ok() {} });
        assert_both_idle(sending.as_mut(), &woken, receiving.as_mut());
        peer.next().await.expect("data");
        assert!(woken.take(), "the transport has room again");
    });
}

/// Each half works when the other one is dropped.
#[test]
fn either_half_works_alone() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let (mut sender, receiver) = lines(ours).into_split();
        drop(receiver);
        sender.send_ref("alone").await.unwrap();
        peer.expect(Frame::binary("alone\n")).await;
        drop(sender);
        assert!(peer.next().await.is_none(), "closed without a close frame");
    });
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let (mut sender, mut receiver) = lines(ours).into_split();
        sender.feed_ref("fed").await.unwrap();
        drop(sender);
        peer.send(Frame::binary("alone\n")).await;
        peer.send(Frame::close(1000, "")).await;
        assert_eq!(next(&mut receiver).await, "alone");
        assert!(receiver.next().await.is_none());
    });
}

/// Items fill both directions, on four tasks. Each half makes progress while the other always has
/// something to do.
#[test]
fn busy_halves_do_not_starve() {
    const ITEMS: u32 = 20_000;

    fn item(number: u32) -> Bytes {
        let len = usize::try_from(number % 400).unwrap();
        let mut item = number.to_be_bytes().to_vec();
        item.resize(4 + len, 7);
        item.into()
    }

    let test = || async {
        let (server, client) = pair().await;
        let mut tasks = Vec::new();
        for end in [server, client] {
            let (mut sender, mut receiver) = end.framed(LengthDelimited::new(1 << 20)).into_split();
            tasks.push(tokio::spawn(
                async move {
                    for number in 0..ITEMS {
                        sender.feed_ref(&item(number)).await.unwrap();
                    }
                    sender.flush().await.unwrap();
                    // Dropped only when the receiver of this end is done, too.
                    sender
                }
                .map(drop),
            ));
            tasks.push(tokio::spawn(async move {
                for number in 0..ITEMS {
                    assert_eq!(receiver.next().await.unwrap().unwrap(), item(number));
                }
            }));
        }
        for task in future::join_all(tasks).await {
            task.unwrap();
        }
    };
    run(test());
    run_multi_thread(test());
}

/// A sender gets its turn while the receiver of the same connection receives without end.
#[test]
fn endless_receiver_leaves_room() {
    for role in ROLES {
        run_multi_thread(async {
            let ours = endless_items(role, config_without_keepalive()).await;
            let (mut sender, mut receiver) =
                ours.framed(LengthDelimited::new(1 << 20)).into_split();
            let receiving = tokio::spawn(async move { while receiver.next().await.is_some() {} });
            for _ in 0..100 {
                sender.send_ref(b"turn").await.unwrap();
            }
            receiving.abort();
        });
    }
}

/// A close by a handle frees a sender that waits for a peer that does not read. The receiver, or a
/// `close_with` of the sender where that is not polled, ends the connection in bounded time.
#[test]
fn handle_ends_a_blocked_sender() {
    for is_polled in [true, false] {
        on_transports(&NO_TIMERS, &short_close_timeout(), async |ours, _peer| {
            let handle = ours.handle();
            let (mut sender, mut receiver) = lines(ours).into_split();
            let line = "x".repeat(80);
            {
                let sending = async { while sender.feed_ref(&line).await.is_ok() {} };
                let mut sending = pin!(sending);
                assert!(poll_until_idle(sending.as_mut()).is_pending());
                handle.close(slow()).unwrap();
                sending.await;
            }
            if !is_polled {
                let lost = sender.close_with(CloseFrame::normal()).await.unwrap_err();
                assert!(matches!(lost, WsErr::Closed), "{lost:?}");
                assert_eq!(handle.closed().await, CloseOutcome::TimedOut);
            }
            let error = last_error(&mut receiver).await;
            assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
            assert_eq!(handle.closed().await, CloseOutcome::TimedOut);
        });
    }
}
