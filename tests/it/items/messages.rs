//! The message stream: whole messages, text and binary, in order and kind, and the ways from and to
//! bytes.

use futures::{
    AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt, StreamExt, TryStreamExt, future,
    stream::FusedStream,
};
use support::{
    Frame, IMMEDIATE, RecordingTransport, Role, Setup,
    cancel::on_each_poll,
    config_without_keepalive, describe, fragments,
    frame::{BINARY, TEXT},
    observe, on_all_transports, on_transports, pair_with, poll_times, poll_until_idle, run,
    run_multi_thread,
};
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, ClosedBy, Lines, Message, TextPolicy, WsErr, WsMessages,
    WsStream,
};

fn text(text: &str) -> Message {
    Message::Text(text.to_owned())
}

fn binary(data: &'static str) -> Message {
    Message::Binary(data.into())
}

/// The next item, which has to be a message.
async fn next(ours: &mut WsMessages) -> Message {
    ours.next().await.expect("a message").unwrap()
}

/// Asserts that the stream is at its end, and stays there.
async fn assert_ended(ours: &mut WsMessages) {
    for _ in 0..3 {
        assert!(ours.next().await.is_none());
        assert!(ours.is_terminated());
    }
}

/// Messages arrive in order and kind, empty and fragmented ones too, and are sent as they were
/// given.
#[test]
fn order_and_kind_are_kept() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = ours.messages();
        let messages = [
            text("one"),
            binary(""),
            binary("two"),
            text(""),
            text("thrée"),
        ];
        let frames = [
            Frame::text("one"),
            Frame::binary(""),
            Frame::binary("two"),
            Frame::text(""),
            Frame::text("thrée"),
        ];
        for message in messages.clone() {
            ours.feed(message).await.unwrap();
        }
        ours.flush().await.unwrap();
        for frame in frames.clone() {
            peer.expect(frame.clone()).await;
            peer.send(frame).await;
        }
        for message in messages {
            assert_eq!(next(&mut ours).await, message);
        }
        let stats = ours.handle().stats();
        assert_eq!((stats.messages_sent, stats.messages_received), (5, 5));
        assert_eq!((stats.bytes_sent, stats.bytes_received), (12, 12));
    });
}

/// A fragmented message is one item, with control frames between its fragments.
#[test]
fn fragments_are_one_message() {
    let setups = [Setup::Tcp(Role::Server), Setup::Pipe(Role::Client)];
    on_transports(
        &setups,
        &config_without_keepalive(),
        async |ours, mut peer| {
            let mut ours = ours.messages();
            for (opcode, message) in [(TEXT, text("one two")), (BINARY, binary("one two"))] {
                let mut frames = fragments(opcode, &[b"one", b" ", b"two"]);
                frames.insert(1, Frame::ping("p"));
                peer.send_all(frames).await;
                assert_eq!(next(&mut ours).await, message);
                ours.flush().await.unwrap();
                peer.expect(Frame::pong("p")).await;
            }
        },
    );
}

/// Text is an item under any policy, and no event.
#[test]
fn text_policy_has_no_effect() {
    for policy in [TextPolicy::Reject, TextPolicy::Bytes, TextPolicy::Event] {
        let config = config_without_keepalive().text(policy);
        on_all_transports(&config, async |ours, mut peer| {
            let mut ours = ours.messages();
            let mut events = observe(&mut ours).await;
            peer.send(Frame::text("hello")).await;
            assert_eq!(next(&mut ours).await, text("hello"));
            assert!(describe(&mut events).is_empty());
        });
    }
}

/// A message above `max_send_message_len`, and a control message, are errors of the sender, and
/// the connection stays open.
#[test]
fn refused_messages_leave_it_open() {
    let config = config_without_keepalive().max_send_message_len(4);
    on_all_transports(&config, async |ours, mut peer| {
        let mut ours = ours.messages();
        for long in [text("12345"), binary("12345")] {
            match ours.send(long).await.unwrap_err() {
                WsErr::TooLargeToSend { len: 5, max: 4 } => {}
                other => panic!("{other:?}"),
            }
        }
        for control in [
            Message::Ping(b"p"[..].try_into().unwrap()),
            Message::Pong(b"p"[..].try_into().unwrap()),
            Message::Close(None),
        ] {
            let refused = ours.feed(control).await.unwrap_err();
            assert!(matches!(refused, WsErr::Unsupported(_)), "{refused:?}");
            assert!(!refused.ends_connection(), "{refused:?}");
        }
        ours.send(text("1234")).await.unwrap();
        peer.expect(Frame::text("1234")).await;
        peer.send(Frame::binary("open")).await;
        assert_eq!(next(&mut ours).await, binary("open"));
    });
}

/// A message above `max_recv_message_len` ends the connection: an error once, close code 1009, and
/// `None` forever.
#[test]
fn long_message_is_answered_with_1009() {
    for long in [Frame::text("12345"), Frame::binary("12345")] {
        let config = config_without_keepalive().max_recv_message_len(4);
        on_all_transports(&config, async |ours, mut peer| {
            let mut ours = ours.messages();
            peer.send_all([Frame::text("1234"), long.clone()]).await;
            assert_eq!(next(&mut ours).await, text("1234"));
            let (error, code) = future::join(ours.next(), peer.expect_close()).await;
            let error = error.unwrap().unwrap_err();
            assert!(
                matches!(error, WsErr::MessageTooLarge { max: 4, .. }),
                "{error:?}"
            );
            assert_eq!(code, 1009);
            assert_ended(&mut ours).await;
        });
    }
}

/// A clean close of the peer is the end, after the messages before it. Writes are `Closed` then.
#[test]
fn clean_close_is_the_end() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = ours.messages();
        peer.send_all([Frame::text("last"), Frame::close(4000, "done")])
            .await;
        assert_eq!(next(&mut ours).await, text("last"));
        assert!(!ours.is_terminated());
        assert_ended(&mut ours).await;
        assert_eq!(peer.expect_close().await, 4000);
        let error = ours.send(text("late")).await.unwrap_err();
        assert!(matches!(error, WsErr::Closed), "{error:?}");
    });
}

/// An end without a close frame, and a close code that says that something is wrong, are an error
/// once.
#[test]
fn unclean_end_is_an_error_once() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = ours.messages();
        peer.send(Frame::text("last")).await;
        drop(peer);
        assert_eq!(next(&mut ours).await, text("last"));
        let error = ours.next().await.unwrap().unwrap_err();
        assert!(matches!(error, WsErr::UnexpectedEof), "{error:?}");
        assert_ended(&mut ours).await;
    });
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = ours.messages();
        peer.send(Frame::close(1011, "")).await;
        let error = ours.next().await.unwrap().unwrap_err();
        assert!(matches!(error, WsErr::Aborted(_)), "{error:?}");
        assert_ended(&mut ours).await;
    });
}

/// `close_with` sends what was fed, discards what arrives, and returns the outcome.
#[test]
fn close_with_returns_the_outcome() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = ours.messages();
        ours.feed(text("last")).await.unwrap();
        let frame = CloseFrame::new(CloseCode::from(4001), "enough").unwrap();
        let script = async {
            peer.send(Frame::text("discarded")).await;
            peer.expect(Frame::text("last")).await;
            peer.expect(Frame::close(4001, "enough")).await;
            peer.send(Frame::close(4001, "")).await;
            peer.expect_end().await;
            drop(peer);
        };
        let (outcome, ()) = future::join(ours.close_with(frame), script).await;
        let CloseOutcome::Clean {
            by: ClosedBy::Us, ..
        } = outcome.unwrap()
        else {
            panic!("not clean");
        };
        assert_ended(&mut ours).await;
    });
}

/// A `next` that waits sends what was fed.
#[test]
fn waiting_read_flushes() {
    on_transports(
        &IMMEDIATE,
        &config_without_keepalive(),
        async |ours, mut peer| {
            let mut ours = ours.messages();
            ours.feed(text("question")).await.unwrap();
            let mut answer = ours.next();
            assert!(poll_until_idle(std::pin::Pin::new(&mut answer)).is_pending());
            peer.expect(Frame::text("question")).await;
            peer.send(Frame::text("answer")).await;
            assert_eq!(answer.await.unwrap().unwrap(), text("answer"));
        },
    );
}

/// Conversions between bytes, items and messages lose nothing, unflushed or unread. What was
/// received and not read as bytes is one binary message.
#[test]
fn conversions_lose_nothing() {
    let config = config_without_keepalive().text(TextPolicy::Bytes);
    on_all_transports(&config, async |mut ours, mut peer| {
        ours.write_all(b"bytes").await.unwrap();
        let mut ours = ours.messages();
        ours.feed(text("one")).await.unwrap();
        let mut ours = ours.into_stream();
        ours.write_all(b"more").await.unwrap();
        let mut ours = ours.framed(Lines::new(80));
        ours.feed("line".to_owned()).await.unwrap();
        let mut ours = ours.into_stream().messages();
        ours.send(binary("two")).await.unwrap();
        peer.expect(Frame::binary("bytes")).await;
        peer.expect(Frame::text("one")).await;
        peer.expect(Frame::binary("moreline\n")).await;
        peer.expect(Frame::binary("two")).await;

        for frame in [
            Frame::text("one"),
            Frame::text("begin and end"),
            Frame::binary("line\nrest"),
            Frame::text("two"),
            Frame::text("three"),
        ] {
            peer.send(frame).await;
        }
        assert_eq!(next(&mut ours).await, text("one"));
        let mut ours = ours.into_stream();
        ours.read_exact(&mut [0; 6]).await.unwrap();
        let mut ours = ours.messages();
        assert_eq!(next(&mut ours).await, binary("and end"));
        let mut ours = ours.into_stream().framed(Lines::new(80));
        assert_eq!(ours.next().await.unwrap().unwrap(), "line");
        let ours = ours.into_stream().messages().into_stream();
        let mut ours = ours.messages();
        assert_eq!(next(&mut ours).await, binary("rest"));
        assert_eq!(next(&mut ours).await, text("two"));
        let mut ours = ours.into_stream();
        let mut data = [0; 5];
        ours.read_exact(&mut data).await.unwrap();
        assert_eq!(&data, b"three");
    });
}

/// A `next` that is dropped after any number of polls loses and repeats no message.
#[test]
fn dropped_next_loses_no_message() {
    on_each_poll(async |polls, ours, mut peer| {
        let mut ours = ours.messages();
        peer.send_all([Frame::text("one"), Frame::binary("two")])
            .await;
        peer.send(Frame::close(1000, "")).await;
        let first = poll_times(polls, ours.next()).map(|item| item.unwrap().unwrap());
        let is_done = first.is_some();
        let mut messages = Vec::from_iter(first);
        while let Some(message) = ours.next().await {
            messages.push(message.unwrap());
        }
        assert_eq!(messages, [text("one"), binary("two")]);
        is_done
    });
}

/// A `feed` that must wait takes nothing, and goes on when there is room.
#[test]
fn blocked_feed_waits() {
    let (ours, recorder) = {
        let recorder = RecordingTransport::new(0);
        let stream = WsStream::with_config(recorder.clone(), config_without_keepalive());
        (stream.unwrap(), recorder)
    };
    let mut ours = ours.messages();
    assert!(ours.feed(binary("one")).now_or_never().is_some());
    assert!(ours.feed(binary("two")).now_or_never().is_none());
    assert!(ours.flush().now_or_never().is_none());
    recorder.add_ready(1);
    assert!(ours.feed(binary("three")).now_or_never().is_some());
    recorder.add_ready(1);
    ours.flush().now_or_never().unwrap().unwrap();
    assert_eq!(recorder.sent(), ["one", "three"]);
}

/// Messages of many lengths and both kinds, in both directions at once, on halves that two tasks
/// hold.
#[test]
fn full_duplex_keeps_every_message() {
    const COUNT: usize = 2000;

    fn message(number: usize) -> Message {
        let len = number * 7919 % 3000;
        let byte = u8::try_from(number % 100).unwrap();
        if number % 3 == 0 {
            Message::Binary(vec![byte | 0x80; len].into())
        } else {
            Message::Text(char::from(byte).to_string().repeat(len))
        }
    }

    async fn send_all(mut sink: impl futures::Sink<Message, Error = WsErr> + Unpin) {
        for number in 0..COUNT {
            sink.feed(message(number)).await.unwrap();
        }
        sink.flush().await.unwrap();
    }

    async fn receive_all(mut stream: impl StreamExt<Item = Result<Message, WsErr>> + Unpin) {
        for number in 0..COUNT {
            let received = stream.try_next().await.unwrap().unwrap();
            assert!(received == message(number), "message {number}");
        }
    }

    let test = || async {
        let config = config_without_keepalive();
        let (server, client) = pair_with(config.clone(), config).await;
        // The halves of futures' `split`, and ours.
        let (to_client, from_client) = server.messages().split();
        let (to_server, from_server) = client.messages().into_split();
        let tasks = future::join4(
            tokio::spawn(send_all(to_client)),
            tokio::spawn(send_all(to_server)),
            tokio::spawn(receive_all(from_client)),
            tokio::spawn(receive_all(from_server)),
        );
        let (one, two, three, four) = tasks.await;
        for done in [one, two, three, four] {
            done.unwrap();
        }
    };
    run(test());
    run_multi_thread(test());
}
