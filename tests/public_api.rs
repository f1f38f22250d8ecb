//! What the types of the public interface can be used for, checked by the compiler, and how errors find
//! their way through `io::Error`.

#![cfg(all(feature = "tokio", feature = "async-tungstenite", feature = "bincode"))]

#[path = "common/sockets.rs"]
mod sockets;

use std::{
    cell::Cell,
    error::Error,
    fmt::{Debug, Display},
    hash::Hash,
    io,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{AsyncBufRead, AsyncRead, AsyncWrite, Sink, Stream, stream::FusedStream};
use sockets::Engine;
use ws_framed::{
    Acceptor, Bincode, BoxTransport, CloseCode, CloseFrame, CloseOutcome, ClosedBy, CodecError,
    Config, Connector, Contract, ControlPayload, LengthDelimited, Lines, Message, MessageTransport,
    Stats, TextPolicy, Violation, WsErr, WsEvent, WsFramed, WsFramedParts, WsHandle, WsStream,
    accept, connect, pharos::Observable,
};

fn send<T: Send>() {}
fn sync<T: Sync>() {}
fn unpin<T: Unpin>() {}
fn is_static<T: 'static>() {}

/// A value that may not leave its thread.
#[expect(dead_code, reason = "for its type")]
struct Local(Rc<Cell<u8>>);

#[test]
fn views_can_be_sent_to_other_tasks() {
    send::<WsStream>();
    send::<WsFramed<String>>();
    send::<WsFramed<String, Lines>>();
    send::<WsStream<Engine>>();
    send::<WsFramed<String, Lines, Engine>>();
    send::<WsFramedParts<Lines>>();
    send::<BoxTransport>();
    // The view holds no items, so what they are is of no concern.
    send::<WsFramed<Local>>();
}

#[test]
fn views_are_sync_where_it_costs_nothing() {
    sync::<WsStream<Engine>>();
    sync::<WsFramed<String, Lines, Engine>>();
    sync::<WsFramed<Local, Bincode<Local>, Engine>>();
}

#[test]
fn views_need_not_be_pinned() {
    struct Pinned(std::marker::PhantomPinned);
    unpin::<WsStream>();
    unpin::<WsStream<Pinned>>();
    unpin::<WsFramed<Pinned, Pinned, Pinned>>();
    unpin::<WsFramedParts<Lines>>();
}

#[test]
fn plain_data_goes_anywhere() {
    fn plain<T: Send + Sync + Unpin + Clone + Debug + 'static>() {}
    plain::<WsHandle>();
    plain::<WsEvent>();
    plain::<WsErr>();
    plain::<Violation>();
    plain::<Message>();
    plain::<ControlPayload>();
    plain::<CloseFrame>();
    plain::<CloseCode>();
    plain::<CloseOutcome>();
    plain::<ClosedBy>();
    plain::<Config>();
    plain::<Contract>();
    plain::<TextPolicy>();
    plain::<Stats>();
    plain::<Acceptor>();
    plain::<Connector>();
    plain::<LengthDelimited>();
    plain::<Lines>();
    plain::<Bincode<Local>>();
}

#[test]
fn values_can_be_compared() {
    fn comparable<T: Eq>() {}
    fn hashable<T: Eq + Hash>() {}
    comparable::<Config>();
    comparable::<Stats>();
    comparable::<Message>();
    hashable::<CloseFrame>();
    hashable::<Contract>();
    hashable::<CloseCode>();
    hashable::<CloseOutcome>();
}

#[test]
fn the_byte_view_is_a_byte_stream_in_both_worlds() {
    fn of_futures<T: AsyncRead + AsyncBufRead + AsyncWrite>() {}
    fn of_tokio<T: tokio::io::AsyncRead + tokio::io::AsyncBufRead + tokio::io::AsyncWrite>() {}
    fn observable<T: Observable<WsEvent, Error = WsErr>>() {}
    of_futures::<WsStream>();
    of_futures::<WsStream<Engine>>();
    of_tokio::<WsStream>();
    of_tokio::<WsStream<Engine>>();
    observable::<WsStream>();
    observable::<WsFramed<String>>();
    observable::<WsHandle>();
}

#[test]
fn the_item_view_is_a_stream_and_a_sink_of_values() {
    fn stream<T>(_: impl FnOnce() -> T)
    where
        T: Stream<Item = Result<String, CodecError>> + FusedStream,
    {
    }
    fn sink<T: Sink<u32, Error = CodecError>>() {}
    stream::<WsFramed<String, Bincode<String, u32>>>(|| unreachable!());
    sink::<WsFramed<String, Bincode<String, u32>>>();
}

/// The futures of the library can be spawned.
#[test]
fn futures_can_be_sent_to_other_tasks() {
    fn spawnable<F: Future + Send>(_: impl FnOnce() -> F) {}
    fn never<T>() -> T {
        unreachable!("only its type is of interest")
    }
    spawnable(|| accept(never::<tokio::net::TcpStream>()));
    spawnable(|| connect("ws://localhost"));
    spawnable(|| async { never::<Connector>().connect("ws://localhost").await });
    spawnable(|| async {
        never::<Acceptor>()
            .accept(never::<tokio::io::DuplexStream>())
            .await
    });
    spawnable(|| async { never::<WsStream>().close_with(CloseFrame::normal()).await });
    spawnable(|| async {
        never::<WsFramed<u8>>()
            .close_with(CloseFrame::normal())
            .await
    });
    spawnable(|| async { never::<WsHandle>().ping().await });
    spawnable(|| async { never::<WsHandle>().closed().await });
}

/// A transport may be a trait object of the user's own.
#[test]
fn the_transport_is_object_safe() {
    is_static::<Box<dyn MessageTransport>>();
}

/// A transport that has nothing to say.
#[derive(Debug)]
struct Silent;

impl MessageTransport for Silent {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        Poll::Pending
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(&mut self, _: Message) -> Result<(), WsErr> {
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }

    fn can_ping(&self) -> bool {
        false
    }
}

#[test]
fn what_a_transport_cannot_do_is_said() {
    let stream = WsStream::new(Silent).boxed();
    let ping = futures::executor::block_on(stream.handle().ping());
    assert!(matches!(ping, Err(WsErr::Unsupported(_))), "{ping:?}");
}

/// Everything can be printed, for logs and for `unwrap`.
#[test]
fn everything_can_be_debugged() {
    let stream = WsStream::new(Silent).boxed();
    assert!(!format!("{stream:?} {:?}", stream.handle()).is_empty());
    let framed = stream.framed(Lines::new(80));
    assert!(!format!("{framed:?}").is_empty());
    assert!(!format!("{:?}", framed.into_parts()).is_empty());
    assert!(!format!("{:?} {:?}", Acceptor::new(), Connector::new()).is_empty());
}

#[test]
fn an_error_is_one_for_any_error_handling() {
    fn error<T: Error + Display + Clone + Send + Sync + 'static>() {}
    fn codec_error<T: Error + Send + Sync + 'static>() {}
    error::<WsErr>();
    codec_error::<CodecError>();
    let boxed: Box<dyn Error + Send + Sync> = WsErr::ReceivedText.into();
    assert!(boxed.downcast_ref::<WsErr>().is_some());
}

/// Every error keeps its identity and its kind on the way through `io::Error` and through that of a codec.
#[test]
fn errors_come_out_as_they_went_in() {
    let frame = CloseFrame::from_peer(CloseCode::INTERNAL_ERROR, "why");
    let lost = io::Error::from(io::ErrorKind::ConnectionReset);
    let rows = [
        (WsErr::Io(Arc::new(lost)), io::ErrorKind::ConnectionReset),
        (WsErr::UnexpectedEof, io::ErrorKind::UnexpectedEof),
        (
            WsErr::Protocol(Violation::new("why")),
            io::ErrorKind::InvalidData,
        ),
        (
            WsErr::MessageTooLarge { len: 2, max: 1 },
            io::ErrorKind::InvalidData,
        ),
        (WsErr::ReceivedText, io::ErrorKind::InvalidData),
        (WsErr::NotOneFrame("why"), io::ErrorKind::InvalidData),
        (WsErr::Undecodable, io::ErrorKind::InvalidData),
        (WsErr::Aborted(frame), io::ErrorKind::ConnectionAborted),
        (WsErr::TimedOut("why"), io::ErrorKind::TimedOut),
        (WsErr::Closed, io::ErrorKind::BrokenPipe),
        (
            WsErr::Refused {
                status: 403,
                reason: "why".to_owned(),
            },
            io::ErrorKind::ConnectionRefused,
        ),
        (
            WsErr::Handshake("why".to_owned()),
            io::ErrorKind::InvalidData,
        ),
        (WsErr::NoSubprotocol, io::ErrorKind::InvalidData),
        (
            WsErr::InvalidUrl("why".to_owned()),
            io::ErrorKind::InvalidInput,
        ),
        (
            WsErr::InvalidHeader("why".to_owned()),
            io::ErrorKind::InvalidInput,
        ),
        (WsErr::InvalidConfig("why"), io::ErrorKind::InvalidInput),
        (
            WsErr::InvalidCloseCode(CloseCode::ABNORMAL),
            io::ErrorKind::InvalidInput,
        ),
        (
            WsErr::ControlTooLong { len: 126 },
            io::ErrorKind::InvalidInput,
        ),
        (WsErr::Unsupported("why"), io::ErrorKind::Unsupported),
    ];
    for (error, kind) in rows {
        let text = error.to_string();
        assert!(!text.is_empty());
        assert_eq!(error.kind(), kind, "{error:?}");
        let through = io::Error::from(error);
        assert_eq!(through.kind(), kind, "{through:?}");
        assert_eq!(through.to_string(), text);
        assert_eq!(WsErr::find_in(&through).unwrap().to_string(), text);

        // Through a codec's error, as the item view gives it.
        let CodecError::Io(through) = CodecError::from(through) else {
            panic!("a CodecError of another kind");
        };
        assert_eq!(WsErr::from(through).to_string(), text);
    }
    // The cause of a failed transport is there to be looked at.
    let error = WsErr::from(io::Error::other("the cable"));
    assert_eq!(error.source().unwrap().to_string(), "the cable");
    // An error that is not ours is not taken for one.
    assert!(WsErr::find_in(&io::Error::other("foreign")).is_none());
    assert!(WsErr::find_in(&io::ErrorKind::UnexpectedEof.into()).is_none());
}

/// Built-in limits: what the default settings are is written in their documentation.
#[test]
fn the_default_config_is_what_its_documentation_says() {
    let documented = Config::default()
        .max_send_message_len(64 * 1024)
        .max_recv_message_len(1024 * 1024)
        .text(TextPolicy::Reject)
        .close_timeout(std::time::Duration::from_secs(10))
        .ping_timeout(std::time::Duration::from_secs(20))
        .lenient_eof(false);
    assert_eq!(Config::default(), documented);
}
