//! The item stream by contract: one type for the codec that the handshake agreed on, and one
//! `Encoded` for all codecs of a server.

use std::io;

use bytes::BytesMut;
use futures::{AsyncWriteExt, SinkExt, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use support::{handshake::open_pair, pair, run};
use ws_framed::{
    Acceptor, AnyCodec, CodecError, Connector, Contract, Contracts, Decoder, EncodeRef, Encoded,
    Encoder, Json, LengthDelimited, Lines, Message, Postcard, Setting, WireFormat, WsErr, WsFramed,
    WsStream, bytes::Bytes,
};

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Said {
    by: u16,
    text: String,
}

fn said(text: &str) -> Said {
    let text = text.to_owned();
    Said { by: 7, text }
}

const POSTCARD: &str = "chat.v2.postcard.40";
const JSON: &str = "chat.v2.json.40.message";

/// Packed Postcard, and JSON in messages of its own.
fn codecs() -> Contracts<Said> {
    Contracts::new("chat", 2)
        .framed(Postcard::new(40))
        .unwrap()
        .per_message(Json::new(40))
        .unwrap()
}

type Member = WsFramed<Said, AnyCodec<Said>>;

/// Both ends of a connection by this contract, which the server chooses from its own.
async fn open(server: Acceptor, token: &str) -> (WsStream, WsStream) {
    let connector = Connector::new().contract(token.parse().unwrap());
    let (server, client) = open_pair(&server, &connector).await;
    (server.unwrap(), client.unwrap())
}

async fn open_member(token: &str) -> (Member, WsStream) {
    let (server, client) = open(Acceptor::new().contracts(&codecs()), token).await;
    (server.framed_by(&codecs()).unwrap(), client)
}

fn cause(error: &CodecError) -> &WsErr {
    WsErr::find_in(error).unwrap_or_else(|| panic!("{error:?}"))
}

/// The stream has the codec that was agreed on, packed or with a message for each item, at both
/// ends and in both directions.
#[test]
fn codec_is_the_agreed_one() {
    run(async {
        let (mut member, client) = open_member(POSTCARD).await;
        let mut client = client.framed(Postcard::<Said>::new(40));
        member.send(said("one")).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), said("one"));
        client.send(said("two")).await.unwrap();
        assert_eq!(member.next().await.unwrap().unwrap(), said("two"));

        let (mut member, client) = open_member(JSON).await;
        let mut client = client.messages();
        member.send_ref(&said("one")).await.unwrap();
        let json = Message::Text(r#"{"by":7,"text":"one"}"#.to_owned());
        assert_eq!(client.next().await.unwrap().unwrap(), json);
        client.send(json).await.unwrap();
        assert_eq!(member.next().await.unwrap().unwrap(), said("one"));
    });
    // A client that offers all of them is served with the server's first.
    run(async {
        let acceptor = Acceptor::new().contracts(&codecs());
        let connector = Connector::new().contracts(&codecs());
        let (server, client) = open_pair(&acceptor, &connector).await;
        let mut server = server.unwrap().framed_by(&codecs()).unwrap();
        let mut client = client.unwrap().framed_by(&codecs()).unwrap();
        assert_eq!(client.contract().map(Contract::codec), Some("postcard"));
        server.send(said("hello")).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), said("hello"));
    });
}

/// One `Encoded` goes to connections of each contract, by the whole stream and by its sending
/// half, in order with other items.
#[test]
fn one_encoded_serves_all_contracts() {
    run(async {
        let encoded = codecs().encode(&said("all")).unwrap();
        for token in [POSTCARD, JSON] {
            let (mut member, client) = open_member(token).await;
            let mut client = client.framed_by(&codecs()).unwrap();
            member.feed_ref(&said("before")).await.unwrap();
            member.feed_encoded(&encoded).await.unwrap();
            let (mut sender, _receiver) = member.into_split();
            sender.send_encoded(&encoded.clone()).await.unwrap();
            for expected in ["before", "all", "all"] {
                let received = client.try_next().await.unwrap();
                assert_eq!(received, Some(said(expected)), "{token}");
            }
        }
    });
}

/// An item that does not fit each contract is an error before it is sent, which names the
/// contracts that it does not fit.
#[test]
fn unfit_contracts_are_named() {
    let unfit = |text: &str| {
        let error = codecs().encode(&said(text)).map(drop).unwrap_err();
        let tokens = error.errors().map(|(contract, error)| {
            assert!(matches!(error, CodecError::ItemTooLarge { max: 40, .. }));
            contract.to_string()
        });
        (tokens.collect::<Vec<_>>(), error.to_string())
    };
    // JSON is longer than Postcard.
    let (tokens, text) = unfit(&"x".repeat(30));
    assert_eq!(tokens, [JSON]);
    let expected = "the item does not fit chat.v2.json.40.message: an item of 48 bytes exceeds \
                    the limit of 40 bytes";
    assert_eq!(text, expected);
    assert_eq!(unfit(&"x".repeat(50)).0, [POSTCARD, JSON]);
}

/// Contracts with the same codec and limit share one encoding.
#[test]
fn same_codec_is_encoded_once() {
    run(async {
        let codecs = Contracts::<Said>::new("chat", 2)
            .framed(Json::new(40))
            .and_then(|codecs| codecs.per_message(Json::new(40)))
            .unwrap();
        let encoded = codecs.encode(&said("all")).unwrap();
        for token in ["chat.v2.json.40", JSON] {
            let (server, client) = open(Acceptor::new().contracts(&codecs), token).await;
            let mut server = server.framed_by(&codecs).unwrap();
            server.send_encoded(&encoded).await.unwrap();
            let mut client = client.framed_by(&codecs).unwrap();
            assert_eq!(client.next().await.unwrap().unwrap(), said("all"));
        }
        assert_eq!(
            codecs
                .encode(&said(&"x".repeat(50)))
                .unwrap_err()
                .errors()
                .count(),
            2
        );
    });
}

/// A connection without a contract, and one with a contract that is not in the list, are typed
/// errors at once.
#[test]
fn unknown_contract_is_an_error() {
    run(async {
        let (server, _client) = pair().await;
        let error = server.framed_by(&codecs()).map(drop).unwrap_err();
        assert!(matches!(error, WsErr::NoCodec(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            "no codec for a connection without a contract"
        );

        let other = "chat.v3.json.40";
        let acceptor = Acceptor::new().contract(other.parse().unwrap());
        let (server, _client) = open(acceptor, other).await;
        let error = server.framed_by(&codecs()).map(drop).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no codec for the contract chat.v3.json.40"
        );
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidInput);
    });
}

/// The error of a foreign `Encoded` says that the connection goes on, whichever of the two is
/// asked.
fn assert_goes_on(error: &CodecError) {
    assert!(matches!(error, CodecError::Unencodable(_)), "{error:?}");
    assert!(matches!(cause(error), WsErr::NotEncoded(_)), "{error:?}");
    assert!(!error.ends_connection() && !cause(error).ends_connection());
}

/// An `Encoded` that was made for other contracts, by one codec only, or for a stream that is not
/// by contract, is refused. Nothing of it is sent, and the stream goes on.
#[test]
fn foreign_encoded_is_refused() {
    run(async {
        let (mut member, client) = open_member(POSTCARD).await;
        let mut client = client.framed_by(&codecs()).unwrap();
        let others = Contracts::new("chat", 2).framed(Json::new(40)).unwrap();
        let foreign = others.encode(&said("foreign")).unwrap();
        let single = Encoded::from_ref(member.codec_mut(), &said("single")).unwrap();
        for refused in [&foreign, &single] {
            let error = member.feed_encoded(refused).await.unwrap_err();
            assert_goes_on(&error);
        }
        // Taken apart and put together, it is still by contract.
        let mut member = WsFramed::from_parts(member.into_parts());
        let ours = codecs().encode(&said("ours")).unwrap();
        member.send_encoded(&ours).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), said("ours"));
        // With another codec, it is not.
        let mut member = member.map_codec(|codec: AnyCodec<Said>| codec);
        let error = member.feed_encoded(&ours).await.unwrap_err();
        assert_goes_on(&error);
        member.send_encoded(&single).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), said("single"));
    });
}

/// The limit of the agreed codec holds for what is received: a longer item closes with 1009.
#[test]
fn limit_of_the_codec_holds() {
    run(async {
        let (mut member, client) = open_member(POSTCARD).await;
        let mut client = client.framed(Postcard::<Said>::new(4000));
        client.send(said(&"x".repeat(100))).await.unwrap();
        let (received, closed) = futures::future::join(member.next(), client.next()).await;
        let error = received.unwrap().unwrap_err();
        assert!(
            matches!(error, CodecError::FrameTooLarge { max: 40, .. }),
            "{error:?}"
        );
        match cause(&closed.unwrap().unwrap_err()) {
            WsErr::Aborted(frame) => assert_eq!(u16::from(frame.code()), 1009),
            other => panic!("{other:?}"),
        }
    });
}

/// Numbers of one byte, with an error of its own.
#[derive(Clone)]
struct Numbers;

impl Encoder for Numbers {
    type Item<'a> = String;
    type Error = io::Error;

    fn encode(&mut self, item: String, dst: &mut BytesMut) -> io::Result<()> {
        self.encode_ref(&item, dst)
    }
}

impl EncodeRef for Numbers {
    type Ref = str;

    fn encode_ref(&mut self, item: &str, dst: &mut BytesMut) -> io::Result<()> {
        let number = item.parse::<u8>().map_err(io::Error::other)?;
        dst.extend_from_slice(&[number]);
        Ok(())
    }
}

impl Decoder for Numbers {
    type Item = String;
    type Error = io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> io::Result<Option<String>> {
        let number = (!src.is_empty()).then(|| src.split_to(1)[0]);
        Ok(number.map(|number| number.to_string()))
    }
}

impl WireFormat for Numbers {
    fn name(&self) -> std::borrow::Cow<'static, str> {
        "numbers".into()
    }

    fn max_frame_len(&self) -> usize {
        1
    }
}

/// A codec of the caller with errors of its own, and codecs whose items lend out another type, are
/// codecs of contracts. The end of the stream is decoded by the agreed one.
#[test]
fn every_kind_of_codec_fits() {
    let codecs = Contracts::<String>::new("texts", 1)
        .framed(Lines::new(80))
        .and_then(|codecs| codecs.framed(Numbers))
        .unwrap();
    let error = codecs.encode(&"hello".to_owned()).unwrap_err();
    let unfit = error.errors().map(|(contract, _)| contract.codec());
    assert_eq!(unfit.collect::<Vec<_>>(), ["numbers"]);
    run(async {
        let twelve = codecs.encode(&"12".to_owned()).unwrap();
        for (token, bytes) in [
            ("texts.v1.lines.80", &b"12\n"[..]),
            ("texts.v1.numbers.1", b"\x0c"),
        ] {
            let (server, client) = open(Acceptor::new().contracts(&codecs), token).await;
            let mut server = server.framed_by(&codecs).unwrap();
            server.send_encoded(&twelve).await.unwrap();
            let mut client = client.messages();
            let received = client.next().await.unwrap().unwrap();
            assert_eq!(received, Message::Binary(bytes.to_vec().into()));
            // The last line has no end.
            let mut client = client.into_stream();
            client
                .write_all(&bytes[..bytes.len().min(2)])
                .await
                .unwrap();
            client.close().await.unwrap();
            assert_eq!(server.next().await.unwrap().unwrap(), "12");
            assert!(server.next().await.is_none());
        }
    });
    let blobs = Contracts::<Bytes>::new("blobs", 1).per_message(LengthDelimited::new(80));
    assert!(blobs.unwrap().encode(&Bytes::from("data")).is_ok());
}

/// A name that cannot be sent is an error when the contract is added.
#[test]
fn invalid_name_is_an_error() {
    let invalid = Contracts::<String>::new("two words", 1).framed(Lines::new(80));
    assert!(matches!(
        invalid,
        Err(WsErr::InvalidConfig(Setting::Contract))
    ));
    let debug = format!("{:?}", codecs());
    assert_eq!(debug, format!("[{POSTCARD:?}, {JSON:?}]"));
}
