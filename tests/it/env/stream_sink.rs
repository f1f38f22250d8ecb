//! `StreamSink`: a transport over a `Stream` and a `Sink` of messages, here a pair of channels.

use std::{
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use futures::{
    AsyncReadExt, AsyncWriteExt, Sink, SinkExt, Stream, StreamExt, channel::mpsc,
    executor::block_on, future,
};
use support::{config_without_keepalive, describe, observe, read_to_end, timeout, ws_error};
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, ClosedBy, Lines, LossCause, Message, MessageTransport,
    Properties, StreamSink, Violation, WsErr, WsStream,
};

type Received = Result<Message, WsErr>;

/// A pair of channels that looks like a socket. Its sink fails once the peer has dropped its
/// receiver.
#[derive(Debug)]
struct Channels {
    sender: mpsc::Sender<Received>,
    receiver: mpsc::Receiver<Received>,
}

impl Channels {
    fn pair() -> (Self, Self) {
        let (to_b, from_a) = mpsc::channel(8);
        let (to_a, from_b) = mpsc::channel(8);
        let end = |sender, receiver| Self { sender, receiver };
        (end(to_b, from_b), end(to_a, from_a))
    }

    async fn send(&mut self, messages: impl IntoIterator<Item = Received>) {
        for message in messages {
            self.sender.send(message).await.unwrap();
        }
    }
}

impl Stream for Channels {
    type Item = Received;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Received>> {
        self.receiver.poll_next_unpin(cx)
    }
}

fn reset(_: mpsc::SendError) -> io::Error {
    ErrorKind::ConnectionReset.into()
}

impl Sink<Message> for Channels {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sender.poll_ready_unpin(cx).map_err(reset)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> io::Result<()> {
        self.sender.start_send_unpin(Ok(message)).map_err(reset)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sender.poll_flush_unpin(cx).map_err(reset)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sender.poll_close_unpin(cx).map_err(reset)
    }
}

fn wrap(channels: Channels) -> WsStream {
    let config = config_without_keepalive();
    let stream = WsStream::with_config(StreamSink::new(channels), config);
    stream.unwrap().boxed()
}

/// Runs a test of an end over a `StreamSink`, with the other end of its channels.
fn with_peer(test: impl AsyncFnOnce(WsStream, Channels)) {
    let (ours, peer) = Channels::pair();
    block_on(timeout(test(wrap(ours), peer)));
}

fn close(code: u16, reason: &str) -> Message {
    Message::Close(Some(CloseFrame::from_peer(CloseCode::from(code), reason)))
}

/// Items, pings and a close with its outcome work between two ends over `StreamSink`.
#[test]
fn items_ping_and_close() {
    let (ours, theirs) = Channels::pair();
    block_on(timeout(async {
        let mut ours = wrap(ours).framed(Lines::new(80));
        let mut theirs = wrap(theirs).framed(Lines::new(80));
        let (our_handle, their_handle) = (ours.handle(), theirs.handle());
        let echo = async {
            while let Some(line) = theirs.next().await {
                theirs.send(line.unwrap()).await.unwrap();
            }
        };
        let script = async {
            for n in 0..100 {
                ours.send(n.to_string()).await.unwrap();
                assert_eq!(ours.next().await.unwrap().unwrap(), n.to_string());
            }
            let ping = Box::pin(our_handle.ping());
            match future::select(ping, ours.next()).await {
                future::Either::Left((round_trip, _)) => round_trip.unwrap(),
                future::Either::Right((item, _)) => panic!("{item:?} was not sent"),
            };
            let frame = CloseFrame::new(CloseCode::from(4000), "done").unwrap();
            ours.close_with(frame).await.unwrap()
        };
        let (outcome, ()) = future::join(script, echo).await;
        let clean = |by| CloseOutcome::Clean {
            code: CloseCode::from(4000),
            reason: "done".to_owned(),
            our_code: Some(CloseCode::from(4000)),
            by,
        };
        assert_eq!(outcome, clean(ClosedBy::Us));
        assert_eq!(their_handle.closed().await, clean(ClosedBy::Peer));
        assert_eq!(their_handle.stats().pings_received, 1);
    }));
}

/// An error of the sink keeps its kind. Data that was received before it can still be read, and the
/// reader then gets the same error.
#[test]
fn sink_error_keeps_its_kind() {
    with_peer(async |mut ours, mut peer| {
        peer.send([Ok(Message::Binary("before".into()))]).await;
        let Channels { sender, receiver } = peer;
        drop(receiver);
        ours.write_all(b"lost").await.unwrap();
        let error = ours.flush().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let mut before = [0; 6];
        ours.read_exact(&mut before).await.unwrap();
        assert_eq!(&before, b"before");
        drop(sender);
        let (data, end) = read_to_end(&mut ours).await;
        assert!(data.is_empty());
        assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(
            ours.handle().closed().await,
            CloseOutcome::Lost(LossCause::Io(io::ErrorKind::ConnectionReset))
        );
    });
}

/// The end of the stream without a close frame is `UnexpectedEof`, after the data before it.
#[test]
fn stream_end_is_unexpected_eof() {
    with_peer(async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        peer.send([Ok(Message::Binary("before".into()))]).await;
        drop(peer);
        let (data, end) = read_to_end(&mut ours).await;
        assert_eq!(data, b"before");
        let error = end.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert!(matches!(ws_error(&error), WsErr::UnexpectedEof));
        assert_eq!(describe(&mut events), ["error UnexpectedEof", "closed"]);
        assert_eq!(
            ours.handle().closed().await,
            CloseOutcome::Lost(LossCause::UnexpectedEof)
        );
    });
}

/// `poll_next` discards what follows a close frame or an error, up to the end.
#[test]
fn transport_discards_to_the_end() {
    let lasts = [
        Ok(close(1000, "")),
        Ok(Message::Close(None)),
        Err(WsErr::Protocol(Violation::new("a reserved bit"))),
    ];
    for last in lasts {
        let (ours, mut peer) = Channels::pair();
        let mut ours = StreamSink::new(ours);
        block_on(timeout(async {
            peer.send([
                Ok(Message::Binary("before".into())),
                last.clone(),
                Ok(Message::Binary("after".into())),
                Ok(close(4000, "again")),
            ])
            .await;
            drop(peer);
            let mut received = Vec::new();
            while let Some(message) = future::poll_fn(|cx| ours.poll_next(cx)).await {
                received.push(message);
            }
            let [before, received] = received.try_into().unwrap();
            assert_eq!(before.unwrap(), Message::Binary("before".into()));
            match (received, last) {
                (Ok(received), Ok(last)) => assert_eq!(received, last),
                (Err(received), Err(last)) => assert_eq!(received.to_string(), last.to_string()),
                (received, _) => panic!("{received:?}"),
            }
        }));
    }
}

/// Messages after a close frame are discarded. The close frame is echoed, and the sink is closed.
#[test]
fn discards_after_a_close_frame() {
    with_peer(async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let script = async {
            peer.send([
                Ok(Message::Binary("before".into())),
                Ok(close(1000, "done")),
                Ok(Message::Binary("after".into())),
                Ok(close(4000, "again")),
            ])
            .await;
            let reply = peer.next().await.unwrap().unwrap();
            let Message::Close(Some(reply)) = reply else {
                panic!("{reply:?} is no close frame");
            };
            assert_eq!(reply.code(), CloseCode::NORMAL_CLOSURE);
            assert!(peer.next().await.is_none(), "the sink was not closed");
        };
        let ((data, end), ()) = future::join(read_to_end(&mut ours), script).await;
        end.unwrap();
        assert_eq!(data, b"before");
        assert_eq!(describe(&mut events), ["close 1000", "closed"]);
        let outcome = CloseOutcome::Clean {
            code: CloseCode::NORMAL_CLOSURE,
            reason: "done".to_owned(),
            our_code: Some(CloseCode::NORMAL_CLOSURE),
            by: ClosedBy::Peer,
        };
        assert_eq!(ours.handle().closed().await, outcome);
    });
}

/// Messages after an error of the stream are discarded. The peer gets the close code of the error.
#[test]
fn discards_after_an_error() {
    with_peer(async |mut ours, mut peer| {
        let script = async {
            peer.send([
                Err(WsErr::Protocol(Violation::new("a reserved bit"))),
                Ok(Message::Binary("after".into())),
            ])
            .await;
            let reply = peer.next().await.unwrap().unwrap();
            let Message::Close(Some(reply)) = reply else {
                panic!("{reply:?} is no close frame");
            };
            assert_eq!(reply.code(), CloseCode::PROTOCOL_ERROR);
            drop(peer);
        };
        let ((data, end), ()) = future::join(read_to_end(&mut ours), script).await;
        assert!(data.is_empty());
        let error = end.unwrap_err();
        assert!(matches!(ws_error(&error), WsErr::Protocol(_)), "{error:?}");
    });
}

/// The socket is accessible below the stream, and comes back from it with its unread messages.
#[test]
fn socket_comes_back_out() {
    let (ours, mut peer) = Channels::pair();
    let properties = Properties::default().max_send_len(4);
    let transport = StreamSink::new(ours).with_properties(properties);
    block_on(timeout(async {
        let mut ours = WsStream::new(transport);
        assert!(!ours.transport().get_ref().sender.is_closed());
        let receiving = async {
            let mut lens = Vec::new();
            while lens.iter().sum::<usize>() < 10 {
                let Ok(Message::Binary(data)) = peer.next().await.unwrap() else {
                    panic!("only data was sent");
                };
                lens.push(data.len());
            }
            lens
        };
        let writing = async {
            ours.write_all(b"ten bytes.").await.unwrap();
            ours.flush().await.unwrap();
        };
        let (lens, ()) = future::join(receiving, writing).await;
        assert_eq!(lens, [4, 4, 2], "`max_send_len` is 4");
        peer.send([Ok(Message::Text("unread".to_owned()))]).await;
        let (mut transport, unread) = ours.into_transport();
        assert!(unread.is_empty());
        transport.get_mut().sender.close_channel();
        let mut socket = transport.into_inner();
        let message = socket.next().await.unwrap().unwrap();
        assert_eq!(message, Message::Text("unread".to_owned()));
        assert!(peer.next().await.is_none());
    }));
}

/// Receives what the function returns, without end, and sends nothing.
struct Endless<F>(F);

impl<F: FnMut() -> Received + Unpin> Stream for Endless<F> {
    type Item = Received;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Received>> {
        Poll::Ready(Some((self.0)()))
    }
}

impl<F: Unpin> Sink<Message> for Endless<F> {
    type Error = WsErr;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Pending
    }

    fn start_send(self: Pin<&mut Self>, _: Message) -> Result<(), WsErr> {
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Pending
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Pending
    }
}

/// A socket that repeats its error, or whose peer sends without end after its close frame, does not
/// keep a poll from returning.
#[test]
fn discarding_is_bounded() {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut failing = StreamSink::new(Endless(|| Err(WsErr::Closed)));
    assert!(matches!(failing.poll_next(cx), Poll::Ready(Some(Err(_)))));
    assert!(matches!(failing.poll_next(cx), Poll::Ready(None)));
    let mut messages = [Message::Close(None)].into_iter();
    let data = || Message::Binary(vec![1].into());
    let mut flooding = StreamSink::new(Endless(move || Ok(messages.next().unwrap_or_else(data))));
    let first = flooding.poll_next(cx);
    assert!(matches!(first, Poll::Ready(Some(Ok(Message::Close(None))))));
    assert!(flooding.poll_next(cx).is_pending());
}
