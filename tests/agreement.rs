//! Two ends agree on protocol, version, codec and limit in the handshake, or are told what they differ in.

#![cfg(all(feature = "tokio", feature = "async-tungstenite"))]

mod common;

use std::borrow::Cow;

use common::{
    handshake::{ACCEPT_KEY, REQUEST, answer_to, converse, meet, read_head},
    sockets::{tcp, within},
};
use futures::{SinkExt, StreamExt, future};
use proptest::prelude::*;
use tokio::io::{AsyncWriteExt, duplex};
use ws_framed::{
    Acceptor, CodecError, Connector, Contract, HandshakeRequest, LengthDelimited, Lines, Refusal,
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
    let (server, client) = meet(acceptor, connector).await;
    let (server, client) = (server.unwrap(), client.unwrap());
    for end in [&server, &client] {
        assert_eq!(agreed(end).as_deref(), Some(expected));
        assert_eq!(end.subprotocol(), Some(expected));
    }
    converse(server, client).await;
}

/// Both ends are told this.
async fn assert_refused(acceptor: &Acceptor, connector: &Connector, expected: &str) {
    let (server, client) = meet(acceptor, connector).await;
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
    within(async {
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
    within(async {
        let (mut server, client) = duplex(4096);
        let ours = connector(&["b.v2.json.9", "a.v1.json.9", "b.v2.json.9"]).subprotocol("old");
        let opening = tokio::spawn(async move {
            let opened = ours.connect_over(client, "ws://localhost/").await;
            opened.map(drop).unwrap_err()
        });
        let head = read_head(&mut server).await.to_lowercase();
        let offer = "\r\nsec-websocket-protocol: b.v2.json.9, a.v1.json.9, old\r\n";
        assert!(head.contains(offer), "{head}");
        drop(server);
        opening.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_disagreement_is_told_to_both_ends_before_the_first_frame() {
    within(async {
        let ours = acceptor(&["chat.v2.json.65536"]);
        for (offer, expected) in [
            (
                "chat.v1.json.65536",
                "chat: version 1 is offered, 2 is spoken here",
            ),
            (
                "chat.v2.cbor.65536",
                "chat: codec cbor is offered, json is spoken here",
            ),
            (
                "chat.v2.json.65535",
                "chat: limit 65535 is offered, 65536 is spoken here",
            ),
            (
                "chat.v2.json.65536.message",
                "chat: framing per message is offered, packed is spoken here",
            ),
            ("shop.v2.json.65536", "shop is offered, chat is spoken here"),
        ] {
            assert_refused(&ours, &connector(&[offer]), expected).await;
        }
        let two = acceptor(&["chat.v2.json.65536", "chat.v2.bincode2.65536"]);
        let expected = "chat: version 1 is offered, 2 is spoken here \
            (spoken here: chat.v2.json.65536, chat.v2.bincode2.65536)";
        let offers = connector(&["chat.v1.lines.80", "chat.v1.bincode2.65536"]);
        assert_refused(&two, &offers, expected).await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_offers_no_contract_is_told_what_to_offer() {
    within(async {
        let ours = acceptor(&["chat.v2.json.65536"]);
        let expected = "no contract is offered: offer chat.v2.json.65536 as subprotocol";
        assert_refused(&ours, &Connector::new(), expected).await;
        let other = Connector::new().subprotocol("chat.v2");
        assert_refused(&ours, &other, expected).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_knows_nothing_of_contracts_is_a_typed_error() {
    within(async {
        // One that ignores what is offered.
        let (mut server, client) = duplex(4096);
        let answer = async {
            let request = read_head(&mut server).await;
            server
                .write_all(&answer_to(request.as_bytes()))
                .await
                .unwrap();
        };
        let ours = connector(&["chat.v2.json.9"]);
        let (opened, ()) = future::join(ours.connect_over(client, "ws://localhost/"), answer).await;
        let error = opened.map(drop).unwrap_err();
        assert!(matches!(error, WsErr::NoSubprotocol), "{error:?}");

        // One that has subprotocols.
        let other = Acceptor::new().subprotocol("chat");
        let expected = "none of the offered subprotocols is spoken here";
        assert_refused(&other, &ours, expected).await;
    })
    .await;
}

#[tokio::test]
async fn contracts_and_other_subprotocols_may_be_mixed() {
    within(async {
        let token = "chat.v2.json.9";
        let ours = Acceptor::new()
            .subprotocol("first")
            .contract(contract(token))
            .subprotocol("old");
        let theirs = |other: &str| connector(&[token]).subprotocol(other);
        assert_agreed(&ours, &theirs("old"), token).await;
        // Written by hand, as a program that does not know of contracts would: it sees a subprotocol.
        let (server, client) = meet(&ours, &Connector::new().subprotocol(token)).await;
        let (server, client) = (server.unwrap(), client.unwrap());
        assert_eq!(agreed(&server).as_deref(), Some(token));
        assert_eq!((agreed(&client), client.subprotocol()), (None, Some(token)));

        for (theirs, expected) in [
            (theirs("first"), "first"),
            (Connector::new().subprotocol("old"), "old"),
            (connector(&["chat.v1.json.9"]).subprotocol("old"), "old"),
        ] {
            let (server, client) = meet(&ours, &theirs).await;
            for end in [server.unwrap(), client.unwrap()] {
                assert_eq!((agreed(&end), end.subprotocol()), (None, Some(expected)));
            }
        }
        let expected =
            "no contract is offered: offer first or chat.v2.json.9 or old as subprotocol";
        assert_refused(&ours, &Connector::new(), expected).await;
    })
    .await;
}

/// The policy and the user's judgement come first: a stranger is not told what is spoken here.
#[tokio::test]
async fn who_is_not_let_in_is_not_told_what_is_spoken() {
    within(async {
        let ours = acceptor(&["chat.v2.json.9"]);
        let (accepted, connected) = tcp().await;
        let judge = |_: &HandshakeRequest<'_>| Err(Refusal::new(401, "log in first"));
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
    within(async {
        let lines = Lines::new(80);
        let ours = Contract::new("chat", 2, &lines).unwrap();
        let acceptor = Acceptor::new().contract(ours.clone());
        let connector = Connector::new().contract(ours.clone());
        let server = meet(&acceptor, &connector).await.0.unwrap();
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
    within(async {
        let lines = Lines::new(4);
        let ours = Contract::new("chat", 2, &lines).unwrap();
        let acceptor = Acceptor::new().contract(ours.clone());
        let (server, client) = meet(&acceptor, &Connector::new().contract(ours)).await;
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

/// One request, by hand, and the head of the answer.
async fn ask(ours: &Acceptor, offers: &str) -> (Result<WsStream, WsErr>, String) {
    let (server, mut client) = duplex(64 * 1024);
    let request = REQUEST.strip_suffix("\r\n").unwrap().to_owned() + offers + "\r\n";
    let ask = async {
        client.write_all(request.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        read_head(&mut client).await
    };
    future::join(ours.accept(server), ask).await
}

#[tokio::test]
async fn a_page_may_offer_a_contract_by_its_name_in_any_header() {
    within(async {
        let ours = acceptor(&["chat.v2.json.65536.message"]);
        for offers in [
            "Sec-WebSocket-Protocol: chat.v2.json.65536.message\r\n",
            "Sec-WebSocket-Protocol: a, ,b\r\nSec-WebSocket-Protocol: \r\n\
             sec-websocket-protocol: c,chat.v2.json.65536.message ,chat.v2.json.65536.message\r\n",
        ] {
            let (server, head) = ask(&ours, offers).await;
            assert!(head.contains(ACCEPT_KEY), "{head}");
            let head = head.to_lowercase();
            let chosen = "\r\nsec-websocket-protocol: chat.v2.json.65536.message\r\n";
            assert!(head.contains(chosen), "{head}");
            assert_eq!(
                agreed(&server.unwrap()).as_deref(),
                Some("chat.v2.json.65536.message")
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_hostile_offer_gets_a_short_reason_of_plain_text() {
    within(async {
        let ours = acceptor(&["chat.v2.json.9"]);
        let long = "x".repeat(15_000);
        let many: Vec<_> = (0..900).map(|n| format!("chat.v{n}.json.8")).collect();
        for offer in [
            format!("{long}.v2.json.9"),
            format!("chat.v2.{long}.9"),
            many.join(","),
            many.join("\r\nSec-WebSocket-Protocol: ")[..14_000].to_owned(),
            ",".repeat(15_000),
            "chat.v2.json.9\u{1}, chat.v1.jsön.9".to_owned(),
            "chat.v1.\u{7f}\u{9b}31m.9".to_owned(),
        ] {
            let (server, head) = ask(&ours, &format!("Sec-WebSocket-Protocol: {offer}\r\n")).await;
            let head = head.lines().next().unwrap().to_owned();
            match server.map(drop).unwrap_err() {
                WsErr::Refused { reason, .. } => {
                    assert!(reason.len() < 200, "{head} {reason}");
                    assert!(
                        reason.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
                        "{reason:?}"
                    );
                }
                other => panic!("{other:?}"),
            }
            assert!(head.starts_with("HTTP/1.1 4"), "{head}");
        }
    })
    .await;
}

prop_compose! {
    fn contracts()(
        name in "[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,128}",
        version: u32,
        codec in "[a-zA-Z0-9!#$%&'*+^_`|~-]{1,128}",
        limit: u32,
        message in any::<bool>(),
    ) -> String {
        let message = if message { ".message" } else { "" };
        format!("{name}.v{version}.{codec}.{limit}{message}")
    }
}

/// Much like tokens, and anything.
fn near_misses() -> impl Strategy<Value = String> {
    "[ab. ]{0,3}\\.v[+01]{1,2}\\.[ab. ]{0,2}\\.[+01]{1,2}(\\.message){0,2}|\\PC{0,40}"
}

proptest! {
    #[test]
    fn a_token_and_its_contract_are_the_same(token in contracts()) {
        let contract = token.parse::<Contract>().unwrap();
        prop_assert_eq!(contract.to_string(), token);
    }

    /// What differs on the wire is another contract.
    #[test]
    fn no_two_tokens_are_one_contract(token in near_misses()) {
        if let Ok(contract) = token.parse::<Contract>() {
            prop_assert_eq!(contract.to_string(), token);
        }
    }
}

#[cfg(all(feature = "json", feature = "bincode"))]
mod two_codecs {
    use futures::Stream;
    use serde::{Deserialize, Serialize};
    use tokio::{net::TcpListener, task::JoinSet};
    use ws_framed::{Bincode, Json};

    use super::*;

    #[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
    struct Said {
        by: String,
        what: Option<String>,
    }

    const MAX: usize = 4096;

    fn ours() -> [Contract; 2] {
        let json = Contract::new("chat", 2, &Json::<Said>::new(MAX)).unwrap();
        let bincode = Contract::new("chat", 2, &Bincode::<Said>::new(MAX)).unwrap();
        [json, bincode]
    }

    /// Sends one, and gives what comes back.
    async fn say<S>(mut ours: S, said: &Said) -> Said
    where
        S: Stream<Item = Result<Said, CodecError>>
            + futures::Sink<Said, Error = CodecError>
            + Unpin,
    {
        ours.send(said.clone()).await.unwrap();
        let back = ours.next().await.unwrap().unwrap();
        ours.close().await.unwrap();
        assert!(ours.next().await.is_none());
        back
    }

    async fn echo<S>(ours: S)
    where
        S: Stream<Item = Result<Said, CodecError>> + futures::Sink<Said, Error = CodecError>,
    {
        let (to, from) = ours.split();
        from.forward(to).await.unwrap();
    }

    #[tokio::test]
    async fn one_port_speaks_json_to_one_client_and_bincode_to_another() {
        within(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("ws://{}", listener.local_addr().unwrap());
            let [json, bincode] = ours();
            let acceptor = Acceptor::new()
                .contract(json.clone())
                .contract(bincode.clone());
            let server = async {
                let mut clients = JoinSet::new();
                for _ in 0..2 {
                    let (socket, _) = listener.accept().await.unwrap();
                    let acceptor = acceptor.clone();
                    clients.spawn(async move {
                        let stream = acceptor.accept(socket).await.unwrap();
                        match stream.contract().map(Contract::codec) {
                            Some("json") => echo(stream.framed(Json::new(MAX))).await,
                            Some("bincode2") => echo(stream.framed(Bincode::new(MAX))).await,
                            other => panic!("{other:?}"),
                        }
                    });
                }
                clients.join_all().await;
            };
            let said = &Said {
                by: "Ann".into(),
                what: None,
            };
            let in_json = async {
                let stream = Connector::new()
                    .contract(json.clone())
                    .connect(&url)
                    .await
                    .unwrap();
                assert_eq!(stream.contract(), Some(&json));
                say(stream.framed(Json::new(MAX)), said).await
            };
            let in_bincode = async {
                let connector = Connector::new().contract(bincode.clone());
                let stream = connector.connect(&url).await.unwrap();
                assert_eq!(stream.contract(), Some(&bincode));
                say(stream.framed(Bincode::new(MAX)), said).await
            };
            let ((), first, second) = future::join3(server, in_json, in_bincode).await;
            assert_eq!([&first, &second], [said, said]);
        })
        .await;
    }

    /// The same code over the servers of frameworks and on another runtime.
    #[cfg(all(feature = "axum", feature = "hyper"))]
    #[tokio::test]
    async fn axum_and_hyper_agree_and_refuse() {
        use std::convert::Infallible;

        use axum::{Router, extract::State, response::Response, routing::any};
        use hyper::{Request, body::Incoming, service::service_fn};
        use hyper_util::rt::TokioIo;
        use ws_framed::axum::WsUpgrade;

        async fn talk(stream: WsStream) {
            assert_eq!(stream.contract(), ours().last());
            echo(stream.framed(Bincode::new(MAX))).await;
        }
        async fn serve(State(acceptor): State<Acceptor>, upgrade: WsUpgrade) -> Response {
            upgrade.serve(&acceptor, talk)
        }

        within(async {
            let acceptor = ours().into_iter().fold(Acceptor::new(), Acceptor::contract);
            let on_axum = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let on_hyper = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let addresses = [&on_axum, &on_hyper].map(|listener| listener.local_addr().unwrap());
            let router: Router = Router::new()
                .route("/", any(serve))
                .with_state(acceptor.clone());
            tokio::spawn(async move { axum::serve(on_axum, router).await });
            tokio::spawn(async move {
                loop {
                    let io = TokioIo::new(on_hyper.accept().await.unwrap().0);
                    let acceptor = acceptor.clone();
                    let service = service_fn(move |mut request: Request<Incoming>| {
                        let (answer, opening) = ws_framed::hyper::upgrade(&acceptor, &mut request);
                        tokio::spawn(async move {
                            match opening.await {
                                Ok(stream) => talk(stream).await,
                                Err(error) => drop(error),
                            }
                        });
                        future::ready(Ok::<_, Infallible>(answer))
                    });
                    let http = hyper::server::conn::http1::Builder::new();
                    tokio::spawn(http.serve_connection(io, service).with_upgrades());
                }
            });
            for address in addresses {
                let url = format!("ws://{address}/");
                let [_, bincode] = ours();
                let stream = Connector::new()
                    .contract(bincode)
                    .connect(&url)
                    .await
                    .unwrap();
                let said = Said {
                    by: "Bob".into(),
                    what: Some("hi".into()),
                };
                assert_eq!(say(stream.framed(Bincode::new(MAX)), &said).await, said);

                let old = Contract::new("chat", 1, &Bincode::<Said>::new(MAX)).unwrap();
                for connector in [Connector::new().contract(old), Connector::new()] {
                    let error = connector.connect(&url).await.map(drop).unwrap_err();
                    let WsErr::Refused {
                        status: 400,
                        reason,
                    } = error
                    else {
                        panic!("{error:?}")
                    };
                    let told = reason.contains("version 1 is offered, 2 is spoken here")
                        || reason.contains("offer chat.v2.json.4096 or chat.v2.bincode2.4096");
                    assert!(told, "{reason}");
                }
            }
        })
        .await;
    }

    #[test]
    fn smol_agrees_and_refuses() {
        smol::block_on(within(async {
            let listener = smol::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("ws://{}", listener.local_addr().unwrap());
            let [json, _] = ours();
            let acceptor = Acceptor::new().contract(json.clone());
            let connectors = [
                Connector::new().contract(json.clone()),
                connector(&["chat.v2.json.4095"]),
            ];
            let mut ends = Vec::new();
            for connector in connectors {
                let server = async {
                    let (socket, _) = listener.accept().await.unwrap();
                    acceptor.accept_futures_io(socket).await
                };
                let client = ws_framed::smol::connect_with(&connector, &url);
                let (server, client) = future::join(server, client).await;
                ends.extend([server, client]);
            }
            for (n, end) in ends.into_iter().enumerate() {
                match end {
                    Ok(stream) => assert!(n < 2 && stream.contract() == Some(&json)),
                    Err(error) => {
                        let told = "limit 4095 is offered, 4096 is spoken here";
                        assert!(n >= 2 && error.to_string().contains(told), "{error}");
                    }
                }
            }
        }));
    }
}
