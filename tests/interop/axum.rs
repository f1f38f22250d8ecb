//! What is particular to axum: nested routers, the task that serves a connection, and its errors.
//! What all environments have in common is in `accepting`.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Extension, Router,
    extract::{FromRequestParts, State},
    response::Response,
    routing::{MethodRouter, any, get},
};
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, future::BoxFuture};
use support::{RawPeer, RecordingSubscriber, Role, frame::CLOSE, run, timeout};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::compat::TokioAsyncReadCompatExt;
use tracing::{Instrument, Level, Span, info_span};
use ws_framed::{
    Acceptor, CloseCode, CloseFrame, Rejection, WsErr, WsStream, axum::WsUpgrade, connect,
    http::Request,
};

/// Starts a server. Returns the URL of its root.
async fn start(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    url
}

/// A route that accepts connections, which say what they were asked for.
fn route<S: Clone + Send + Sync + 'static>(acceptor: Acceptor) -> MethodRouter<S> {
    let on_request = async |request: Request<()>| Ok::<_, Rejection>(request.uri().to_string());
    let acceptor = acceptor.on_request(on_request);
    any(async move |upgrade: WsUpgrade| {
        let serve = async |(mut stream, uri): (WsStream, String)| {
            stream.write_all(uri.as_bytes()).await?;
            stream.close().await
        };
        upgrade.on_upgrade(&acceptor, serve).await
    })
}

/// A nested router strips the beginning of the path. The path that is judged is the whole one.
#[tokio::test]
async fn nested_path_is_the_whole_one() {
    for (allowed, opens) in [
        ("/api/v2/chat", true),
        ("/chat", false),
        ("/v2/chat", false),
    ] {
        let chat = Router::new().route("/chat", route(Acceptor::new().allow_path(allowed)));
        let url = start(Router::new().nest("/api", Router::new().nest("/v2", chat))).await;
        let opened = timeout(connect(format!("{url}/api/v2/chat?x"))).await;
        match opened {
            Ok(mut stream) => {
                let mut uri = String::new();
                stream.read_to_string(&mut uri).await.unwrap();
                assert_eq!(uri, "/api/v2/chat?x");
            }
            Err(WsErr::Rejected(response)) => {
                assert_eq!((response.status().as_u16(), opens), (404, false));
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// The callback gets the extensions that middleware has inserted, and so does a handler.
#[tokio::test]
async fn extensions_reach_the_callback() {
    #[derive(Clone)]
    struct User(&'static str);

    let on_request = async |request: Request<()>| match request.extensions().get::<User>() {
        Some(user) => Ok(user.clone()),
        None => Err(Rejection::new(401, "log in")),
    };
    let acceptor = Acceptor::new().on_request(on_request);
    let handler = any(async move |upgrade: WsUpgrade| {
        assert!(upgrade.request().extensions().get::<User>().is_some());
        let serve = async |(mut stream, user): (WsStream, User)| {
            stream.write_all(user.0.as_bytes()).await?;
            stream.close().await
        };
        upgrade.on_upgrade(&acceptor, serve).await
    });
    let url = start(Router::new().route("/", handler.layer(Extension(User("Ann"))))).await;
    let mut stream = timeout(connect(url)).await.unwrap();
    let mut user = String::new();
    stream.read_to_string(&mut user).await.unwrap();
    assert_eq!(user, "Ann");
}

/// A request that passed through something which does not support upgrades gets status 426, and the
/// closure does not run.
#[tokio::test]
async fn request_without_upgrade_is_rejected() {
    let request = Request::get("/")
        .header("Host", "a")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Version", "13");
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let upgrade = WsUpgrade::from_request_parts(&mut parts, &())
        .await
        .unwrap();
    let serve = async |_: WsStream| -> () { panic!("there is no connection") };
    let response = upgrade.on_upgrade(&Acceptor::new(), serve).await;
    assert_eq!(response.status(), 426);
    assert_eq!(response.headers()["Connection"], "Upgrade");
    assert_eq!(response.headers()["Upgrade"], "websocket");
}

type Serve = fn(WsStream) -> BoxFuture<'static, Result<(), &'static str>>;

/// Serves `/` with this closure.
async fn start_serving(serve: Serve) -> String {
    async fn handler(State(serve): State<Serve>, upgrade: WsUpgrade) -> Response {
        let span = info_span!("request");
        let acceptor = Acceptor::new();
        let response = upgrade.on_upgrade(&acceptor, serve);
        response.instrument(span).await
    }
    start(Router::new().route("/", any(handler)).with_state(serve)).await
}

/// An error of the closure, or a panic, closes the connection with code 1011, without its text. A
/// close frame that was sent before stands.
#[tokio::test]
async fn error_closes_with_1011() {
    let rows: [(Serve, u16); 6] = [
        (|_| async { Err("secret") }.boxed(), 1011),
        (|_| async { panic!("secret") }.boxed(), 1011),
        (|_| panic!("secret"), 1011),
        (
            |stream| {
                let serve = async move {
                    let mut stream = stream.framed(ws_framed::Lines::new(10));
                    let _ = futures::SinkExt::send(&mut stream, "hello".to_owned()).await;
                    Err("secret")
                };
                serve.boxed()
            },
            1011,
        ),
        (
            |mut stream| {
                let serve = async move {
                    let frame = CloseFrame::new(CloseCode::POLICY_VIOLATION, "").unwrap();
                    let _ = stream.close_with(frame).await;
                    Err("secret")
                };
                serve.boxed()
            },
            1008,
        ),
        // Without an error, a stream that is dropped is closed without a close frame.
        (|_| async { Ok(()) }.boxed(), 0),
    ];
    for (serve, expected) in rows {
        let mut stream = timeout(connect(start_serving(serve).await)).await.unwrap();
        let error = timeout(stream.read_to_end(&mut Vec::new()))
            .await
            .unwrap_err();
        match WsErr::find_in(&error) {
            Some(WsErr::Aborted(frame)) => {
                assert_eq!(u16::from(frame.code()), expected);
                assert_eq!(frame.reason(), "");
            }
            Some(WsErr::UnexpectedEof) if expected == 0 => {}
            _ => panic!("{expected}: {error:?}"),
        }
    }
}

/// After a close frame of the closure, whose reply it does not wait for, neither an error nor a panic
/// sends another.
#[tokio::test]
async fn error_after_a_close_frame() {
    let rows: [Serve; 4] = [
        |mut stream| {
            let serve = async move {
                stream.close().await.unwrap();
                Err("secret")
            };
            serve.boxed()
        },
        |mut stream| {
            let serve = async move {
                stream.close().await.unwrap();
                panic!("secret")
            };
            serve.boxed()
        },
        |stream| {
            let serve = async move {
                let mut items = stream.framed(ws_framed::Lines::new(10));
                futures::SinkExt::close(&mut items).await.unwrap();
                Err("secret")
            };
            serve.boxed()
        },
        |mut stream| {
            let serve = async move {
                stream.handle().close(CloseFrame::normal()).unwrap();
                stream.flush().await.unwrap();
                Err("secret")
            };
            serve.boxed()
        },
    ];
    for serve in rows {
        let url = start_serving(serve).await;
        let tcp = TcpStream::connect(url.trim_start_matches("ws://")).await;
        let mut peer = RawPeer::handshake(tcp.unwrap().compat(), Role::Client).await;
        let frame = timeout(peer.next()).await.unwrap();
        assert_eq!((frame.opcode, frame.close_code().0), (CLOSE, 1000));
        assert_eq!(timeout(peer.next()).await, None);
    }
}

/// After the peer has closed, an error of the closure sends nothing.
#[tokio::test]
async fn error_after_the_peer_closed() {
    let serve: Serve = |mut stream| {
        let serve = async move {
            let mut received = Vec::new();
            let _ = stream.read_to_end(&mut received).await;
            Err("too late")
        };
        serve.boxed()
    };
    let mut stream = timeout(connect(start_serving(serve).await)).await.unwrap();
    let outcome = timeout(stream.close_with(CloseFrame::normal()))
        .await
        .unwrap();
    assert!(
        matches!(outcome, ws_framed::CloseOutcome::Clean { code, .. } if code == CloseCode::NORMAL_CLOSURE),
        "{outcome:?}"
    );
}

/// The closure runs in the span of the handler. Its error is logged in the span of the connection,
/// which is below that, and has the address of the peer.
#[test]
fn closure_runs_in_handler_span() {
    let (recorder, _installed) = RecordingSubscriber::install(Level::DEBUG);
    run(async {
        let serve: Serve = |_| {
            let serve = async {
                let name = Span::current().metadata().map(tracing::Metadata::name);
                assert_eq!(name, Some("request"));
                Err("no such room")
            };
            serve.boxed()
        };
        let mut stream = connect(start_serving(serve).await).await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap_err();
    });
    let log = recorder.recorded();
    let connection = log.span_of("server");
    let reports = log.events_in(connection).into_iter();
    let reports: Vec<_> = reports.filter(|event| event.level == Level::INFO).collect();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert_eq!(reports[0].fields["error"], "no such room");
    assert!(log.spans[connection]["peer"].starts_with("127.0.0.1:"));
    // The span of the handler has no fields.
    let parent = log.parents[connection].unwrap();
    assert!(log.spans[parent].is_empty());
}

/// A panic of the closure is a warning in the span of the connection: no stranger causes it alone.
#[test]
fn panic_of_the_closure_is_a_warning() {
    let (recorder, _installed) = RecordingSubscriber::install(Level::WARN);
    run(async {
        let mut stream = connect(start_serving(|_| panic!("secret")).await)
            .await
            .unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap_err();
    });
    let log = recorder.recorded();
    let [event] = log.events_in(log.span_of("server"))[..] else {
        panic!("{:?}", log.events)
    };
    assert_eq!(event.message(), "serving the connection panicked");
}

/// `on_failed_upgrade` gets each request that opens no connection.
#[tokio::test]
async fn failed_upgrades_are_counted() {
    let failed = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&failed);
    let handler = get(async move |upgrade: WsUpgrade| {
        let acceptor = Acceptor::new().allow_origin("https://chat.example");
        let count = move |error| {
            if let WsErr::Rejected(response) = error {
                let status = response.status().as_u16();
                seen.lock().unwrap().push(status);
            }
        };
        let upgrade = upgrade.on_failed_upgrade(count);
        let serve = async |stream: WsStream| {
            drop(stream);
            io::Result::Ok(())
        };
        upgrade.on_upgrade(&acceptor, serve).await
    });
    let url = start(Router::new().route("/", handler)).await;
    for origin in ["https://evil.example", "https://chat.example", "null"] {
        let connector = ws_framed::Connector::new().header("Origin", origin);
        let opened = timeout(connector.connect(&url)).await;
        assert_eq!(opened.is_ok(), origin == "https://chat.example");
    }
    assert_eq!(*failed.lock().unwrap(), [403, 403]);
}
