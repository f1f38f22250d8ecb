//! Contracts: both ends agree on protocol, version, codec and limit in the handshake, or report the
//! difference.

use std::borrow::Cow;

use futures::{SinkExt, StreamExt, future};
use support::{
    handshake::{exchange_and_close, open_pair, read_head, response_to},
    tcp, timeout,
};
use tokio::io::{AsyncWriteExt, duplex};
use ws_framed::{
    Acceptor, CodecError, Connector, Contract, LengthDelimited, Lines, Rejection, WireFormat,
    WsErr, WsStream,
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

/// Asserts that both ends agree on this contract.
async fn assert_agreed(acceptor: &Acceptor, connector: &Connector, expected: &str) {
    let (server, client) = open_pair(acceptor, connector).await;
    let (server, client) = (server.unwrap(), client.unwrap());
    for end in [&server, &client] {
        assert_eq!(agreed(end).as_deref(), Some(expected));
        assert_eq!(end.subprotocol(), Some(expected));
    }
    exchange_and_close(server, client).await;
}

/// Asserts that both ends return status 400 with this reason.
async fn assert_refused(acceptor: &Acceptor, connector: &Connector, expected: &str) {
    let (server, client) = open_pair(acceptor, connector).await;
    for end in [server, client] {
        match end.map(drop).unwrap_err() {
            WsErr::Rejected(response) => {
                assert_eq!(response.status(), 400);
                assert_eq!(response.reason(), expected);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The server selects the first of its own contracts that the client offers.
#[tokio::test]
async fn server_order_decides() {
    timeout(async {
        let ours = acceptor(&["chat.v2.lines.80", "chat.v2.json.9", "chat.v1.lines.80"]);
        for (offers, expected) in [
            (&["chat.v2.lines.80"][..], "chat.v2.lines.80"),
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

/// A request offers each contract and subprotocol once, in order (RFC 6455 section 4.1).
#[tokio::test]
async fn offers_are_unique_and_ordered() {
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

/// A server rejects contracts that differ from its own. The reason names the difference at both
/// ends.
#[tokio::test]
async fn difference_is_the_reason() {
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

/// A server rejects a client that offers no contract. The reason names the contracts of the server.
#[tokio::test]
async fn client_without_contracts() {
    timeout(async {
        let ours = acceptor(&["chat.v2.json.65536"]);
        let expected = "client offers no contract, server supports chat.v2.json.65536";
        assert_refused(&ours, &Connector::new(), expected).await;
        let other = Connector::new().subprotocol("chat.v2");
        assert_refused(&ours, &other, expected).await;
    })
    .await;
}

/// A client with contracts fails at a server that ignores its offer, or that has other
/// subprotocols.
#[tokio::test]
async fn server_without_contracts() {
    timeout(async {
        // A server that ignores the offer.
        let (mut server, client) = duplex(4096);
        let response = async {
            let request = read_head(&mut server).await;
            server
                .write_all(&response_to(request.as_bytes()))
                .await
                .unwrap();
        };
        let ours = connector(&["chat.v2.json.9"]);
        let (opened, ()) =
            future::join(ours.connect_over(client, "ws://localhost/"), response).await;
        let error = opened.map(drop).unwrap_err();
        assert!(matches!(error, WsErr::NoSubprotocol), "{error:?}");

        // A server with subprotocols.
        let other = Acceptor::new().subprotocol("chat");
        let expected = "server supports none of the offered subprotocols";
        assert_refused(&other, &ours, expected).await;
    })
    .await;
}

/// Contracts and other subprotocols are offered and selected in one order.
#[tokio::test]
async fn contracts_among_subprotocols() {
    timeout(async {
        let token = "chat.v2.json.9";
        let ours = Acceptor::new()
            .subprotocol("first")
            .contract(contract(token))
            .subprotocol("old");
        let theirs = |other: &str| connector(&[token]).subprotocol(other);
        assert_agreed(&ours, &theirs("old"), token).await;
        // A client may offer the token of a contract as a subprotocol.
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

/// The callback precedes the contracts: a rejected client does not learn them.
#[tokio::test]
async fn callback_precedes_contracts() {
    timeout(async {
        let ours = acceptor(&["chat.v2.json.9"]);
        let (accepted, connected) = tcp().await;
        let callback = async |_| Err::<(), _>(Rejection::new(401, "log in first"));
        let ours = ours.on_request(callback);
        let theirs = Connector::new();
        let (server, client) = future::join(
            ours.accept(accepted),
            theirs.connect_over(connected, "ws://localhost/"),
        )
        .await;
        for error in [server.map(drop), client.map(drop)] {
            let error = error.unwrap_err();
            assert!(
                matches!(&error, WsErr::Rejected(response) if response.status() == 401),
                "{error:?}"
            );
        }
    })
    .await;
}

/// The contract is kept from one stream type to the next.
#[tokio::test]
async fn streams_keep_the_contract() {
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

/// A custom codec.
struct Custom(LengthDelimited);

impl WireFormat for Custom {
    fn name(&self) -> Cow<'static, str> {
        "custom".into()
    }

    fn max_frame_len(&self) -> usize {
        self.0.max_frame_len()
    }
}

/// A custom codec that implements `WireFormat` has contracts.
#[test]
fn contract_of_custom_codec() {
    let custom = Custom(LengthDelimited::new(7));
    let contract = Contract::new("chat", 2, &custom).unwrap();
    assert_eq!(contract.to_string(), "chat.v2.custom.7");
    let dynamic: &dyn WireFormat = &custom;
    assert_eq!(Contract::new("chat", 2, dynamic).unwrap(), contract);
}

/// A codec with the limit of the contract rejects an item over it before anything is sent.
#[tokio::test]
async fn limit_applies_to_the_sender() {
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
            matches!(error, CodecError::ItemTooLarge { len: 5, max: 4 }),
            "{error:?}"
        );
        assert_eq!(client.handle().stats().bytes_sent, 0);
        client.send("1234".to_owned()).await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap(), "1234");
    })
    .await;
}
