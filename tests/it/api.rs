//! What the types of the public interface can be used for, checked by the compiler, and how errors find
//! their way through `io::Error`.

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

use futures::{
    AsyncBufRead, AsyncRead, AsyncWrite, FutureExt, Sink, SinkExt, Stream, StreamExt,
    future::BoxFuture, stream::FusedStream,
};
use support::Pipe;
use ws_framed::{
    Acceptor, Bincode, BoxTransport, CloseCode, CloseFrame, CloseOutcome, ClosedBy, CodecError,
    Config, Connector, Contract, ControlPayload, Encoded, HandshakeRequest, Keepalive,
    LengthDelimited, Lines, Message, MessageTransport, Properties, Reconnector, Rejection, Stats,
    TextPolicy, Tungstenite, Violation, WireFormat, WsErr, WsEvent, WsFramed, WsFramedParts,
    WsHandle, WsStream, accept, connect, pharos::Observable,
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
    send::<WsStream<Tungstenite<Pipe>>>();
    send::<WsFramed<String, Lines, Tungstenite<Pipe>>>();
    send::<WsFramedParts<Lines>>();
    send::<BoxTransport>();
    // The view holds no items, so what they are is of no concern.
    send::<WsFramed<Local>>();
}

#[test]
fn views_are_sync_where_it_costs_nothing() {
    sync::<WsStream<Tungstenite<Pipe>>>();
    sync::<WsFramed<String, Lines, Tungstenite<Pipe>>>();
    sync::<WsFramed<Local, Bincode<Local>, Tungstenite<Pipe>>>();
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
    plain::<Encoded<Local>>();
    plain::<HandshakeRequest<'static>>();
    plain::<Keepalive>();
    plain::<Reconnector<fn()>>();
    plain::<Rejection>();
    plain::<ws_framed::Postcard<Local>>();
    plain::<ws_framed::Json<Local>>();
    plain::<ws_framed::Cbor<Local>>();
    plain::<ws_framed::Compressed<Bincode<Local>>>();
    plain::<(
        ws_framed::TokioCodec<Lines, Local>,
        ws_framed::ForTokio<Lines>,
    )>();
}

/// What others compile against.
#[test]
fn signatures_stay_as_they_are() {
    type Bytes = WsStream<Silent>;
    type Items = WsFramed<String, Lines, Silent>;
    let _: fn(Silent) -> Bytes = WsStream::new;
    let _: fn(Silent, Config) -> Result<Bytes, WsErr> = WsStream::with_config;
    let _: fn(&Bytes) -> WsHandle = WsStream::handle;
    let _: fn(Bytes) -> WsStream = WsStream::boxed;
    let _: fn(Bytes, Lines) -> Items = WsStream::framed;
    let _: fn(Bytes, Lines) -> Items = WsFramed::new;
    let _: fn(Items) -> Bytes = WsFramed::into_stream;
    let _: fn(Items) -> WsFramedParts<Lines, Silent> = WsFramed::into_parts;
    let _: fn(WsFramedParts<Lines, Silent>) -> Items = WsFramed::from_parts;
    let _: fn(&Items) -> &Lines = WsFramed::codec;
    let _: fn(&mut Items) -> &mut Lines = WsFramed::codec_mut;
    let _ = |items: Items| -> WsFramed<u8, Bincode<u8>, Silent> {
        items.map_codec(|_: Lines| Bincode::new(80))
    };
    let _: fn(usize) -> LengthDelimited = LengthDelimited::new;
    let _: fn(usize) -> Lines = Lines::new;
    let _: fn(usize) -> Bincode<u8, u16> = Bincode::<u8, u16>::new;
    let _: fn(CloseCode, &'static str) -> Result<CloseFrame, WsErr> = CloseFrame::new;
    let _: fn() -> CloseFrame = CloseFrame::normal;
    let _: fn(&WsHandle, CloseFrame) -> Result<(), WsErr> = WsHandle::close;
    let _: fn(&WsHandle) -> Stats = WsHandle::stats;
}

#[test]
fn a_program_has_its_close_codes_in_constants() {
    const EXPIRED: CloseCode = CloseCode::new(4001);
    let name = |code| match code {
        EXPIRED => "expired",
        CloseCode::NORMAL => "normal",
        _ => "other",
    };
    assert_eq!(name(CloseCode::from(4001)), "expired");
    assert_eq!(name(CloseCode::from(4002)), "other");
    assert_eq!(u16::from(EXPIRED), 4001);
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
    of_futures::<WsStream<Tungstenite<Pipe>>>();
    of_tokio::<WsStream>();
    of_tokio::<WsStream<Tungstenite<Pipe>>>();
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
    spawnable(|| async {
        let mut room = String::new();
        let judge = |request: &HandshakeRequest<'_>| {
            room.push_str(request.path());
            Err(Rejection::new(404, "no such room"))
        };
        never::<Acceptor>()
            .accept_with(never::<tokio::io::DuplexStream>(), judge)
            .await
    });
    spawnable(|| async {
        never::<Acceptor>()
            .accept_futures_io(never::<WsStream>())
            .await
    });
    spawnable(|| async {
        never::<Acceptor>()
            .accept_futures_io_with(never::<WsStream>(), |_| Ok(()))
            .await
    });
    spawnable(|| async {
        never::<Connector>()
            .connect_over(never::<tokio::io::DuplexStream>(), "ws://localhost")
            .await
    });
    spawnable(|| async {
        never::<Connector>()
            .connect_over_futures_io(never::<WsStream>(), "ws://localhost")
            .await
    });
    spawnable(|| async { never::<WsFramed<String, Lines>>().feed_ref("hello").await });
    spawnable(|| async {
        let item = never::<Encoded<Lines>>();
        never::<WsFramed<String, Lines>>().feed_encoded(&item).await
    });
    spawnable(|| async {
        let dial = async move || connect("ws://localhost").await;
        Reconnector::new(dial).connect().await
    });
    spawnable(|| async {
        ws_framed::smol::connect("ws://localhost").await?;
        ws_framed::smol::connect_with(&never(), "ws://localhost").await?;
        ws_framed::smol::accept(never::<WsStream>()).await
    });
}

/// What dials may be a function, so that a `Reconnector` has a name that a struct's field can have.
#[test]
fn a_reconnector_can_be_stored() {
    type Dial = fn() -> BoxFuture<'static, Result<WsStream, WsErr>>;
    struct Client {
        dial: Reconnector<Dial>,
    }
    let mut client = Client {
        dial: Reconnector::new(|| Box::pin(async { Err(WsErr::NoSubprotocol) })),
    };
    let connected = futures::executor::block_on(client.dial.connect());
    assert!(matches!(connected, Err(WsErr::NoSubprotocol)));
}

/// They may be trait objects of the user's own.
#[test]
fn a_transport_and_the_format_of_a_codec_are_object_safe() {
    is_static::<Box<dyn MessageTransport>>();
    let format: &dyn WireFormat = &Lines::new(80);
    let contract = Contract::new("chat", 1, format).unwrap();
    assert_eq!(contract.to_string(), "chat.v1.lines.80");
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

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }

    fn properties(&self) -> Properties {
        Properties::default().can_ping(false)
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
    fn debug<T: Debug>() {}
    let stream = WsStream::new(Silent).boxed();
    assert!(!format!("{stream:?} {:?}", stream.handle()).is_empty());
    let framed = stream.framed(Lines::new(80));
    assert!(!format!("{framed:?}").is_empty());
    assert!(!format!("{:?}", framed.into_parts()).is_empty());
    assert!(!format!("{:?} {:?}", Acceptor::new(), Connector::new()).is_empty());
    // Of what is received, a view holds only bytes.
    debug::<WsFramed<Local>>();
    debug::<Encoded<Local>>();
}

/// What is logged for a look at the state of a program is not what its users say, nor its passwords.
#[test]
fn debugging_tells_no_payload_and_no_header() {
    let mut framed = WsStream::new(Silent).framed(Lines::new(80));
    let mut encoded = WsStream::new(Silent).framed(Lines::new(80));
    futures::executor::block_on(async {
        framed.feed("secret".to_owned()).await.unwrap();
        let shared = Encoded::by_ref(encoded.codec_mut(), "secret").unwrap();
        encoded.feed_encoded(&shared).await.unwrap();
    });
    let mut parts = framed.into_parts();
    parts.read_buffer.extend_from_slice(b"secret\nsecret");
    let mut framed = WsFramed::from_parts(parts);
    let item = framed.next().now_or_never().unwrap().unwrap().unwrap();
    let framed_shown = format!("{framed:?}");
    let stream_shown = format!("{:?}", framed.into_stream());
    let connector = Connector::new().header("Authorization", item.as_str());
    let acceptor = Acceptor::new().header("Set-Cookie", item.as_str());
    for shown in [
        framed_shown,
        stream_shown,
        format!("{encoded:?}"),
        format!("{connector:?}"),
        format!("{acceptor:?}"),
    ] {
        assert!(!shown.contains(&item), "{shown}");
    }
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
    let CodecError::Io(through) = CodecError::from(WsErr::ReceivedText) else {
        panic!("a CodecError of another kind");
    };
    assert!(matches!(WsErr::from(through), WsErr::ReceivedText));
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
