//! Contracts in servers of tokio, axum, hyper and smol: each client gets its codec, on one port.

use futures::{Sink, SinkExt, Stream, StreamExt, future};
use serde::{Deserialize, Serialize};
use support::timeout;
use tokio::{net::TcpListener, task::JoinSet};
use ws_framed::{Acceptor, Bincode, CodecError, Connector, Contract, Json, WsErr, WsStream};

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Message {
    author: String,
    text: Option<String>,
}

const MAX: usize = 4096;

fn contracts() -> [Contract; 2] {
    let json = Contract::new("chat", 2, &Json::<Message>::new(MAX)).unwrap();
    let bincode = Contract::new("chat", 2, &Bincode::<Message>::new(MAX)).unwrap();
    [json, bincode]
}

/// Sends a message and closes. Returns the message that the server sends back.
async fn exchange<S>(mut ours: S, message: &Message) -> Message
where
    S: Stream<Item = Result<Message, CodecError>> + Sink<Message, Error = CodecError> + Unpin,
{
    ours.send(message.clone()).await.unwrap();
    let echoed = ours.next().await.unwrap().unwrap();
    ours.close().await.unwrap();
    assert!(ours.next().await.is_none());
    echoed
}

/// Sends each message back.
async fn echo<S>(ours: S)
where
    S: Stream<Item = Result<Message, CodecError>> + Sink<Message, Error = CodecError>,
{
    let (sink, stream) = ours.split();
    stream.forward(sink).await.unwrap();
}

/// A server on one port decodes JSON from one client and bincode from another, as their contracts
/// say.
#[tokio::test]
async fn codec_of_each_client() {
    timeout(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let [json, bincode] = contracts();
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
        let message = &Message {
            author: "Ann".into(),
            text: None,
        };
        let in_json = async {
            let stream = Connector::new()
                .contract(json.clone())
                .connect(&url)
                .await
                .unwrap();
            assert_eq!(stream.contract(), Some(&json));
            exchange(stream.framed(Json::new(MAX)), message).await
        };
        let in_bincode = async {
            let connector = Connector::new().contract(bincode.clone());
            let stream = connector.connect(&url).await.unwrap();
            assert_eq!(stream.contract(), Some(&bincode));
            exchange(stream.framed(Bincode::new(MAX)), message).await
        };
        let ((), first, second) = future::join3(server, in_json, in_bincode).await;
        assert_eq!([&first, &second], [message, message]);
    })
    .await;
}

/// Servers of axum and hyper accept a client with their contract, and reject one with another or
/// without any.
#[tokio::test]
async fn contracts_on_axum_and_hyper() {
    use std::convert::Infallible;

    use axum::{Router, extract::State, response::Response, routing::any};
    use hyper::{Request, body::Incoming, service::service_fn};
    use hyper_util::rt::TokioIo;
    use ws_framed::axum::WsUpgrade;

    async fn check_and_echo(stream: WsStream) {
        assert_eq!(stream.contract(), contracts().last());
        echo(stream.framed(Bincode::new(MAX))).await;
    }
    async fn serve(State(acceptor): State<Acceptor>, upgrade: WsUpgrade) -> Response {
        upgrade.on_upgrade(&acceptor, check_and_echo).await
    }

    timeout(async {
        let acceptor = contracts()
            .into_iter()
            .fold(Acceptor::new(), Acceptor::contract);
        let axum_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hyper_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses =
            [&axum_listener, &hyper_listener].map(|listener| listener.local_addr().unwrap());
        let router: Router = Router::new()
            .route("/", any(serve))
            .with_state(acceptor.clone());
        tokio::spawn(async move { axum::serve(axum_listener, router).await });
        tokio::spawn(async move {
            loop {
                let io = TokioIo::new(hyper_listener.accept().await.unwrap().0);
                let acceptor = acceptor.clone();
                let service = service_fn(move |mut request: Request<Incoming>| {
                    let acceptor = acceptor.clone();
                    async move {
                        let upgrading = ws_framed::hyper::upgrade(&acceptor, &mut request);
                        let (response, upgrade) = upgrading.await;
                        tokio::spawn(async move {
                            match upgrade.await {
                                Ok(stream) => check_and_echo(stream).await,
                                Err(error) => drop(error),
                            }
                        });
                        Ok::<_, Infallible>(response)
                    }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(io, service).with_upgrades());
            }
        });
        for address in addresses {
            let url = format!("ws://{address}/");
            let [_, bincode] = contracts();
            let stream = Connector::new()
                .contract(bincode)
                .connect(&url)
                .await
                .unwrap();
            let message = Message {
                author: "Bob".into(),
                text: Some("hi".into()),
            };
            let echoed = exchange(stream.framed(Bincode::new(MAX)), &message).await;
            assert_eq!(echoed, message);

            let old = Contract::new("chat", 1, &Bincode::<Message>::new(MAX)).unwrap();
            for connector in [Connector::new().contract(old), Connector::new()] {
                let error = connector.connect(&url).await.map(drop).unwrap_err();
                let WsErr::Rejected(response) = error else {
                    panic!("{error:?}")
                };
                assert_eq!(response.status(), 400);
                let reason = response.reason();
                let is_explained = reason
                    .contains("client offers version 1, server supports version 2")
                    || reason
                        .contains("server supports chat.v2.json.4096 or chat.v2.bincode2.4096");
                assert!(is_explained, "{reason}");
            }
        }
    })
    .await;
}

/// A server on smol accepts a client with its contract, and rejects one with another limit.
#[test]
fn contracts_on_smol() {
    smol::block_on(timeout(async {
        let listener = smol::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let [json, _] = contracts();
        let acceptor = Acceptor::new().contract(json.clone());
        let connectors = [
            Connector::new().contract(json.clone()),
            Connector::new().contract("chat.v2.json.4095".parse().unwrap()),
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
                    let difference = "client offers limit 4095, server supports limit 4096";
                    assert!(n >= 2 && error.to_string().contains(difference), "{error}");
                }
            }
        }
    }));
}
