//! The public types: their traits, signatures and constants, and what `Debug` shows.

use std::{collections::HashSet, fmt::Debug, hash::Hash};

use futures::{
    AsyncBufRead, AsyncRead, AsyncWrite, FutureExt, Sink, SinkExt, Stream, StreamExt,
    stream::FusedStream,
};
use support::Pipe;
use ws_framed::{
    Acceptor, AnyCodec, Bincode, BoxTransport, CloseCode, CloseFrame, CloseOutcome, ClosedBy,
    CodecError, Config, Connector, Contract, Contracts, ControlPayload, EncodeError, Encoded,
    Keepalive, LengthDelimited, Lines, Message, MessageTransport, Payload, Reconnector, Rejection,
    ReuniteError, Stats, TextPolicy, Tungstenite, Violation, WireFormat, WsErr, WsEvent, WsEvents,
    WsFramed, WsFramedParts, WsHandle, WsMessages, WsReader, WsReceiver, WsSender, WsStream,
    WsWriter,
    bytes::{Bytes, BytesMut},
    pharos::Observable,
};

use super::{Local, Silent};

fn send<T: Send>() {}
fn sync<T: Sync>() {}
fn unpin<T: Unpin>() {}
fn is_static<T: 'static>() {}

/// Streams are `Send`, whatever their items are, because they hold no items.
#[test]
fn streams_are_send() {
    send::<WsStream>();
    send::<WsFramed<String>>();
    send::<WsFramed<String, Lines>>();
    send::<WsStream<Tungstenite<Pipe>>>();
    send::<WsFramed<String, Lines, Tungstenite<Pipe>>>();
    send::<WsFramedParts<Lines>>();
    send::<BoxTransport>();
    send::<WsFramed<Local>>();
    send::<WsFramed<Local, AnyCodec<Local>>>();
    send::<WsMessages>();
    send::<WsMessages<Tungstenite<Pipe>>>();
}

/// Owned halves are `Send` and `Sync` where the whole is `Send`, and the error that holds both is
/// an error of a task.
#[test]
fn halves_are_send_and_sync() {
    fn both<T: Send + Sync + Unpin + Debug + 'static>() {}
    fn error<T: std::error::Error + Send + Sync + 'static>() {}
    both::<(WsReader, WsWriter)>();
    both::<(WsSender<WsFramed<Local>>, WsReceiver<WsFramed<Local>>)>();
    both::<(WsSender<WsMessages>, WsReceiver<WsMessages>)>();
    error::<ReuniteError<WsReader, WsWriter>>();
    error::<ReuniteError<WsSender<WsFramed<Local>>, WsReceiver<WsFramed<Local>>>>();
    error::<EncodeError>();
}

/// Streams over a transport that is `Sync` are `Sync`, whatever their items are.
#[test]
fn streams_are_sync() {
    sync::<WsStream<Tungstenite<Pipe>>>();
    sync::<WsFramed<String, Lines, Tungstenite<Pipe>>>();
    sync::<WsFramed<Local, Bincode<Local>, Tungstenite<Pipe>>>();
}

/// Streams are `Unpin`, whatever their transport, codec and items are.
#[test]
fn streams_are_unpin() {
    struct Pinned(std::marker::PhantomPinned);
    unpin::<WsStream>();
    unpin::<WsStream<Pinned>>();
    unpin::<WsFramed<Pinned, Pinned, Pinned>>();
    unpin::<WsFramedParts<Lines>>();
}

/// Handles, settings, events, errors, codecs and other data are `Send`, `Sync`, `Unpin`, `Clone`
/// and `Debug`.
#[test]
fn data_is_send_and_clone() {
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
    plain::<Contracts<Local>>();
    plain::<AnyCodec<Local>>();
    plain::<TextPolicy>();
    plain::<Stats>();
    plain::<Acceptor>();
    plain::<Acceptor<(WsStream, Local)>>();
    plain::<Connector>();
    plain::<(ws_framed::ProxyError, ws_framed::SocksReply)>();
    plain::<(ws_framed::Redirect, ws_framed::ReconnectState)>();
    plain::<ws_framed::ReconnectHandle>();
    plain::<LengthDelimited>();
    plain::<Lines>();
    plain::<Bincode<Local>>();
    plain::<Encoded<Local>>();
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

/// Plain values implement `Eq`, and keys `Hash`.
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
    hashable::<(Message, Payload, ControlPayload, Violation)>();
    let mut sum = Stats::default();
    sum += Stats::default();
    assert_eq!(sum, [sum, sum].into_iter().sum());
}

/// Messages and their parts are made of the usual types.
#[test]
fn messages_convert() {
    let same = [
        (Message::text("a"), Message::from("a")),
        (Message::text("a"), Message::from("a".to_owned())),
        (Message::binary("a"), Message::from(vec![b'a'])),
        (Message::binary("a"), Message::from(Bytes::from("a"))),
    ];
    for (made, converted) in same {
        assert_eq!(made, converted);
        assert_ne!(made.is_text(), made.is_binary());
        assert_eq!(&*made.into_data(), b"a");
    }
    assert!(!Message::Close(None).is_text() && !Message::Close(None).is_binary());
    let shared = Payload::from(Bytes::from("a"));
    let unique = Payload::from(BytesMut::from("a"));
    assert_eq!(HashSet::from([shared, unique]).len(), 1);
    assert_eq!(ControlPayload::try_from(vec![1, 2]), (&[1, 2]).try_into());
    ControlPayload::try_from(vec![0; 126]).unwrap_err();
    ControlPayload::try_from(&[0; 126]).unwrap_err();
    let frame = CloseFrame::try_from(CloseCode::GOING_AWAY).unwrap();
    assert_eq!((frame.code(), frame.reason()), (CloseCode::GOING_AWAY, ""));
    CloseFrame::try_from(CloseCode::ABNORMAL_CLOSURE).unwrap_err();
    let encoded = Encoded::from_ref(&mut Lines::new(80), "a").unwrap();
    assert_eq!(encoded.as_ref(), b"a\n");
}

/// The contracts of a `Contracts` can be iterated from both ends, and its codec be cloned.
#[test]
fn contracts_can_be_iterated() {
    let contracts: Contracts<String> = Contracts::new("chat", 1);
    let contracts = contracts.framed(Lines::new(1)).unwrap();
    let contracts = contracts.framed(Lines::new(2)).unwrap();
    assert_eq!(contracts.iter().len(), 2);
    let limits = contracts.iter().rev().map(Contract::max_frame_len);
    assert_eq!(limits.collect::<Vec<_>>(), [2, 1]);
    assert_eq!(
        format!("{contracts:?}"),
        r#"["chat.v1.lines.1", "chat.v1.lines.2"]"#
    );
}

/// The byte stream implements the traits of futures-io and of tokio. Streams and handles can be
/// observed.
#[test]
fn byte_stream_implements_both_families() {
    fn of_futures<T: AsyncRead + AsyncBufRead + AsyncWrite>() {}
    fn of_tokio<T: tokio::io::AsyncRead + tokio::io::AsyncBufRead + tokio::io::AsyncWrite>() {}
    fn reads<T: AsyncRead + AsyncBufRead + tokio::io::AsyncRead + tokio::io::AsyncBufRead>() {}
    fn writes<T: AsyncWrite + tokio::io::AsyncWrite>() {}
    fn observable<T: Observable<WsEvent, Error = WsErr>>() {}
    fn fused<T: FusedStream>() {}
    fused::<WsEvents>();
    of_futures::<WsStream>();
    of_futures::<WsStream<Tungstenite<Pipe>>>();
    of_tokio::<WsStream>();
    of_tokio::<WsStream<Tungstenite<Pipe>>>();
    reads::<WsReader>();
    writes::<WsWriter>();
    observable::<WsMessages>();
    observable::<WsStream>();
    observable::<WsFramed<String>>();
    observable::<WsHandle>();
}

/// The item stream is a fused `Stream` of items, and a `Sink` of another type of items.
#[test]
fn item_stream_is_stream_and_sink() {
    fn stream<T>(_: impl FnOnce() -> T)
    where
        T: Stream<Item = Result<String, CodecError>> + FusedStream,
    {
    }
    fn sink<T: Sink<u32, Error = CodecError>>() {}
    stream::<WsFramed<String, Bincode<String, u32>>>(|| unreachable!());
    sink::<WsFramed<String, Bincode<String, u32>>>();
    stream::<WsReceiver<WsFramed<String, Bincode<String, u32>>>>(|| unreachable!());
    sink::<WsSender<WsFramed<String, Bincode<String, u32>>>>();
}

/// `MessageTransport` and `WireFormat` can be trait objects.
#[test]
fn traits_are_object_safe() {
    is_static::<Box<dyn MessageTransport>>();
    let format: &dyn WireFormat = &Lines::new(80);
    let contract = Contract::new("chat", 1, format).unwrap();
    assert_eq!(contract.to_string(), "chat.v1.lines.80");
}

/// Close codes can be constants and patterns.
#[test]
fn close_codes_work_as_constants() {
    const EXPIRED: CloseCode = CloseCode::new(4001);
    let name = |code| match code {
        EXPIRED => "expired",
        CloseCode::NORMAL_CLOSURE => "normal",
        _ => "other",
    };
    assert_eq!(name(CloseCode::from(4001)), "expired");
    assert_eq!(name(CloseCode::from(4002)), "other");
    assert_eq!(u16::from(EXPIRED), 4001);
}

/// Functions have the signatures that other crates rely on.
#[test]
fn signatures_are_stable() {
    type Bytes = WsStream<Silent>;
    type Items = WsFramed<String, Lines, Silent>;
    let _: fn(Silent) -> Bytes = WsStream::new;
    let _: fn(Silent, Config) -> Result<Bytes, WsErr> = WsStream::with_config;
    let _: fn(&Bytes) -> WsHandle = WsStream::handle;
    let _: fn(&Bytes) -> &Silent = WsStream::transport;
    let _: fn(&Items) -> &Silent = WsFramed::transport;
    let _: fn(&WsMessages<Silent>) -> &Silent = WsMessages::transport;
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

/// Streams, parts, handles and builders implement `Debug`, whatever their items are.
#[test]
fn types_implement_debug() {
    fn debug<T: Debug>() {}
    let stream = WsStream::new(Silent).boxed();
    assert!(!format!("{stream:?} {:?}", stream.handle()).is_empty());
    let framed = stream.framed(Lines::new(80));
    assert!(!format!("{framed:?}").is_empty());
    assert!(!format!("{:?}", framed.into_parts()).is_empty());
    assert!(!format!("{:?} {:?}", Acceptor::new(), Connector::new()).is_empty());
    debug::<WsFramed<Local>>();
    debug::<Encoded<Local>>();
}

/// `Debug` of a message shows its bytes or its text, as for `Bytes` and `String`.
#[test]
fn debug_shows_a_message() {
    let binary = Message::Binary(b"\x00a\"".into());
    assert_eq!(format!("{binary:?}"), r#"Binary(b"\x00a\"")"#);
    let text = Message::Text("é".to_owned());
    assert_eq!(format!("{text:?}"), r#"Text("é")"#);
}

/// `Debug` of streams and builders shows no buffered data and no header.
#[test]
fn debug_shows_no_secrets() {
    let mut framed = WsStream::new(Silent).framed(Lines::new(80));
    let mut encoded = WsStream::new(Silent).framed(Lines::new(80));
    futures::executor::block_on(async {
        framed.feed("secret".to_owned()).await.unwrap();
        let shared = Encoded::from_ref(encoded.codec_mut(), "secret").unwrap();
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
