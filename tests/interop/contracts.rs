//! One server, several codecs: each client gets its own, on one port, in every server and runtime.

use futures::{Sink, SinkExt, Stream, StreamExt, future};
use serde::{Deserialize, Serialize};
use support::timeout;
use tokio::{net::TcpListener, task::JoinSet};
use ws_framed::{Acceptor, Bincode, CodecError, Connector, Contract, Json, WsErr, WsStream};

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
    S: Stream<Item = Result<Said, CodecError>> + Sink<Said, Error = CodecError> + Unpin,
{
    ours.send(said.clone()).await.unwrap();
    let back = ours.next().await.unwrap().unwrap();
    ours.close().await.unwrap();
    assert!(ours.next().await.is_none());
    back
}

async fn echo<S>(ours: S)
where
    S: Stream<Item = Result<Said, CodecError>> + Sink<Said, Error = CodecError>,
{
    let (to, from) = ours.split();
    from.forward(to).await.unwrap();
}

#[tokio::test]
async fn one_port_speaks_json_to_one_client_and_bincode_to_another() {
    timeout(async {
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

    timeout(async {
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
                let told = reason.contains("client offers version 1, server supports version 2")
                    || reason
                        .contains("server supports chat.v2.json.4096 or chat.v2.bincode2.4096");
                assert!(told, "{reason}");
            }
        }
    })
    .await;
}

#[test]
fn smol_agrees_and_refuses() {
    smol::block_on(timeout(async {
        let listener = smol::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let [json, _] = ours();
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
                    let told = "client offers limit 4095, server supports limit 4096";
                    assert!(n >= 2 && error.to_string().contains(told), "{error}");
                }
            }
        }
    }));
}
