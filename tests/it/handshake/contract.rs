//! Two ends agree on protocol, version, codec and limit in the handshake, or are told what they differ in.

use std::borrow::Cow;

use futures::{SinkExt, StreamExt, future};
use support::{
    handshake::{exchange_and_close, open_pair, read_head, response_to},
    tcp, timeout,
};
use tokio::io::{AsyncWriteExt, duplex};
use ws_framed::{
    Acceptor, CodecError, Connector, Contract, HandshakeRequest, LengthDelimited, Lines, Rejection,
    WireFormat, WsErr, WsStream,
};

fn contract(token: &str) -> Contract {
    token.parse().unwrap()
}

fn acceptor(contracts: &[&str]) -> Acceptor {
    let contracts = contracts.iter().map(|token| contract(token));
    contracts.fold(Acceptor::new(), Acceptor::contract)
}

fn connector(contracts: &[&str]) -> Connector {
    let contracts = contracts.iter().map(|token| contract(token));
    contracts.fold(Connector::new(), Connector::contract)
}

fn agreed(stream: &WsStream) -> Option<String> {
    stream.contract().map(Contract::to_string)
}

/// Both ends agree on this one.
async fn assert_agreed(acceptor: &Acceptor, connector: &Connector, expected: &str) {
    let (server, client) = open_pair(acceptor, connector).await;
    let (server, client) = (server.unwrap(), client.unwrap());
    for end in [&server, &client] {
        assert_eq!(agreed(end).as_deref(), Some(expected));
        assert_eq!(end.subprotocol(), Some(expected));
    }
    exchange_and_close(server, client).await;
}

/// Both ends are told this.
async fn assert_refused(acceptor: &Acceptor, connector: &Connector, expected: &str) {
    let (server, client) = open_pair(acceptor, connector).await;
    for end in [server, client] {
        match end.map(drop).unwrap_err() {
            WsErr::Refused { status, reason } => {
                assert_eq!((status, &*reason), (400, expected));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn two_ends_agree_on_what_both_offer() {
    timeout(async {
        let ours = acceptor(&["chat.v2.lines.80", "chat.v2.json.9", "chat.v1.lines.80"]);
        for (offers, expected) in [
            (&["chat.v2.lines.80"][..], "chat.v2.lines.80"),
            // What the server wants most.
            (&["chat.v1.lines.80", "chat.v2.json.9"], "chat.v2.json.9"),
            (&["shop.v2.json.9", "chat.v1.lines.80"], "chat.v1.lines.80"),
        ] {
            assert_agreed(&ours, &connector(offers), expected).await;
        }
        let token = "org.example.v2.lz4+json.65536.message";
        assert_agreed(&acceptor(&[token]), &connector(&[token]), token).await;
    })
    .await;
}

/// Browsers refuse to offer anything twice (RFC 6455 section 4.1).
#[tokio::test]
async fn a_contract_is_offered_once_in_the_order_of_wishes() {
    timeout(async {
        let (mut server, client) = duplex(4096);
        let ours = connector(&["b.v2.json.9", "a.v1.json.9", "b.v2.json.9"])
            .subprotocol("old")
            .subprotocol("a.v1.json.9")
            .contract(contract("old.v1.json.9"))
            .subprotocol("old");
        let opening = tokio::spawn(async move {
            let opened = ours.connect_over(client, "ws://localhost/").await;
            opened.map(drop).unwrap_err()
        });
        let head = read_head(&mut server).await.to_lowercase();
        let offer = "\r\nsec-websocket-protocol: b.v2.json.9, a.v1.json.9, old, old.v1.json.9\r\n";
        assert!(head.contains(offer), "{head}");
        drop(server);
        opening.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_disagreement_is_told_to_both_ends_before_the_first_frame() {
    timeout(async {
        let ours = acceptor(&["chat.v2.json.65536"]);
        for (offer, expected) in [
            (
                "chat.v1.json.65536",
                "chat: client offers version 1, server supports version 2",
            ),
            (
                "chat.v2.cbor.65536",
                "chat: client offers codec cbor, server supports codec json",
            ),
            (
                "chat.v2.json.65535",
                "chat: client offers limit 65535, server supports limit 65536",
            ),
            (
                "chat.v2.json.65536.message",
                "chat: client offers framing per message, server supports framing packed",
            ),
            (
                "shop.v2.json.65536",
                "client offers shop, server supports chat",
            ),
        ] {
            assert_refused(&ours, &connector(&[offer]), expected).await;
        }
        let two = acceptor(&["chat.v2.json.65536", "chat.v2.bincode2.65536"]);
        let expected = "chat: client offers version 1, server supports version 2 \
            (server supports chat.v2.json.65536, chat.v2.bincode2.65536)";
        let offers = connector(&["chat.v1.lines.80", "chat.v1.bincode2.65536"]);
        assert_refused(&two, &offers, expected).await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_offers_no_contract_is_told_what_to_offer() {
    timeout(async {
        let ours = acceptor(&["chat.v2.json.65536"]);
        let expected = "client offers no contract, server supports chat.v2.json.65536";
        assert_refused(&ours, &Connector::new(), expected).await;
        let other = Connector::new().subprotocol("chat.v2");
        assert_refused(&ours, &other, expected).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_knows_nothing_of_contracts_is_a_typed_error() {
    timeout(async {
        // One that ignores what is offered.
        let (mut server, client) = duplex(4096);
        let answer = async {
            let request = read_head(&mut server).await;
            server
                .write_all(&response_to(request.as_bytes()))
                .await
                .unwrap();
        };
        let ours = connector(&["chat.v2.json.9"]);
        let (opened, ()) = future::join(ours.connect_over(client, "ws://localhost/"), answer).await;
        let error = opened.map(drop).unwrap_err();
        assert!(matches!(error, WsErr::NoSubprotocol), "{error:?}");

        // One that has subprotocols.
        let other = Acceptor::new().subprotocol("chat");
        let expected = "server supports none of the offered subprotocols";
        assert_refused(&other, &ours, expected).await;
    })
    .await;
}

#[tokio::test]
async fn contracts_and_other_subprotocols_may_be_mixed() {
    timeout(async {
        let token = "chat.v2.json.9";
        let ours = Acceptor::new()
            .subprotocol("first")
            .contract(contract(token))
            .subprotocol("old");
        let theirs = |other: &str| connector(&[token]).subprotocol(other);
        assert_agreed(&ours, &theirs("old"), token).await;
        // Written by hand, as a program that does not know of contracts would: it sees a subprotocol.
        let (server, client) = open_pair(&ours, &Connector::new().subprotocol(token)).await;
        let (server, client) = (server.unwrap(), client.unwrap());
        assert_eq!(agreed(&server).as_deref(), Some(token));
        assert_eq!((agreed(&client), client.subprotocol()), (None, Some(token)));

        for (theirs, expected) in [
            (theirs("first"), "first"),
            (Connector::new().subprotocol("old"), "old"),
            (connector(&["chat.v1.json.9"]).subprotocol("old"), "old"),
        ] {
            let (server, client) = open_pair(&ours, &theirs).await;
            for end in [server.unwrap(), client.unwrap()] {
                assert_eq!((agreed(&end), end.subprotocol()), (None, Some(expected)));
            }
        }
        let expected = "client offers no contract, server supports first or chat.v2.json.9 or old";
        assert_refused(&ours, &Connector::new(), expected).await;
    })
    .await;
}

/// The policy and the user's judgement come first: a stranger is not told what is spoken here.
#[tokio::test]
async fn who_is_not_let_in_is_not_told_what_is_spoken() {
    timeout(async {
        let ours = acceptor(&["chat.v2.json.9"]);
        let (accepted, connected) = tcp().await;
        let judge = |_: &HandshakeRequest<'_>| Err(Rejection::new(401, "log in first"));
        let theirs = Connector::new();
        let (server, client) = future::join(
            ours.accept_with(accepted, judge),
            theirs.connect_over(connected, "ws://localhost/"),
        )
        .await;
        for end in [server, client] {
            let error = end.map(drop).unwrap_err();
            assert!(
                matches!(error, WsErr::Refused { status: 401, .. }),
                "{error:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn every_view_knows_the_contract() {
    timeout(async {
        let lines = Lines::new(80);
        let ours = Contract::new("chat", 2, &lines).unwrap();
        let acceptor = Acceptor::new().contract(ours.clone());
        let connector = Connector::new().contract(ours.clone());
        let server = open_pair(&acceptor, &connector).await.0.unwrap();
        let server = server.framed(lines);
        assert_eq!(server.contract(), Some(&ours));
        assert_eq!(server.into_stream().boxed().contract(), Some(&ours));
    })
    .await;
}

/// A user's own format.
struct Mine(LengthDelimited);

impl WireFormat for Mine {
    fn name(&self) -> Cow<'static, str> {
        "mine".into()
    }

    fn max_frame_len(&self) -> usize {
        self.0.max_frame_len()
    }
}

#[test]
fn a_codec_of_the_users_own_takes_part() {
    let mine = Mine(LengthDelimited::new(7));
    let contract = Contract::new("chat", 2, &mine).unwrap();
    assert_eq!(contract.to_string(), "chat.v2.mine.7");
    let dynamic: &dyn WireFormat = &mine;
    assert_eq!(Contract::new("chat", 2, dynamic).unwrap(), contract);
}

/// Both ends have the limit that was agreed on, so the sender knows before the receiver has to.
#[tokio::test]
async fn an_item_over_the_limit_is_refused_before_anything_is_sent() {
    timeout(async {
        let lines = Lines::new(4);
        let ours = Contract::new("chat", 2, &lines).unwrap();
        let acceptor = Acceptor::new().contract(ours.clone());
        let (server, client) = open_pair(&acceptor, &Connector::new().contract(ours)).await;
        let mut server = server.unwrap().framed(lines);
        let client = client.unwrap();
        let limit = client.contract().unwrap().max_frame_len();
        let mut client = client.framed(Lines::new(limit));
        let error = client.send("12345".to_owned()).await.unwrap_err();
        assert!(
            matches!(error, CodecError::FrameTooLarge { len: 5, max: 4 }),
            "{error:?}"
        );
        assert_eq!(client.handle().stats().bytes_sent, 0);
        client.send("1234".to_owned()).await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap(), "1234");
    })
    .await;
}
