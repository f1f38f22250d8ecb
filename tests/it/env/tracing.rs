//! What a subscriber of `tracing` hears of a connection, and what it never does.

use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, future};
use support::{
    Frame, RawPeer, RecordedEvent, RecordingSubscriber, Role, config_without_keepalive, pair,
    read_to_end, run, tcp, tungstenite_pair_with,
};
use tokio::net::TcpListener;
use tracing::Level;
use ws_framed::{
    Acceptor, CloseCode, CloseFrame, Connector, Keepalive, Rejection, TextPolicy, WsErr, WsStream,
};

/// A server and a client on TCP, as far as they get.
async fn meet(
    acceptor: &Acceptor,
    connector: &Connector,
    path: &str,
) -> (Result<WsStream, WsErr>, Result<WsStream, WsErr>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}{path}", listener.local_addr().unwrap());
    let server = async { acceptor.accept(listener.accept().await.unwrap().0).await };
    future::join(server, connector.connect(url)).await
}

#[test]
fn a_connection_that_is_closed_is_told_from_handshake_to_end() {
    let (ear, _listening) = RecordingSubscriber::install(Level::TRACE);
    run(async {
        let connector = Connector::new()
            .config(config_without_keepalive())
            .header("Origin", "https://chat.example");
        let acceptor = Acceptor::new().config(config_without_keepalive());
        let (server, client) = meet(&acceptor, &connector, "/room/7").await;
        let (mut server, mut client) = (server.unwrap(), client.unwrap());
        client.write_all(b"hello").await.unwrap();
        let handle = client.handle();
        let talk = async {
            handle.ping().await.unwrap();
            handle.close(CloseFrame::normal()).unwrap();
        };
        let ends = future::join(read_to_end(&mut server), read_to_end(&mut client));
        let (((heard, _), _), ()) = future::join(ends, talk).await;
        assert_eq!(heard, b"hello");
        drop((server, client));
        assert!(
            ear.recorded().holders.iter().all(|holders| *holders == 0),
            "a span ends with its view, whoever keeps a handle"
        );
    });
    let heard = ear.recorded();
    assert_eq!(heard.spans.len(), 2);
    let (server, client) = (heard.span_of("server"), heard.span_of("client"));
    let (at_server, at_client) = (&heard.spans[server], &heard.spans[client]);
    assert_eq!(at_server["path"], "/room/7");
    assert_eq!(at_client["path"], "/room/7");
    assert_eq!(at_server["origin"], "https://chat.example");
    assert_eq!(
        at_client["host"], at_client["peer"],
        "the URL has an address"
    );
    assert_eq!(at_server["host"], at_client["host"]);
    assert!(at_server["peer"].starts_with("127.0.0.1:"));
    assert_ne!(at_server["peer"], at_client["peer"]);
    assert_eq!(
        heard.messages_in(client),
        [
            "the handshake is done",
            "ping sent",
            "pong received",
            "close sent",
            "close received",
            "the connection was closed"
        ]
    );
    assert_eq!(
        heard.messages_in(server),
        [
            "the handshake is done",
            "ping received",
            "close received",
            "close sent",
            "the connection was closed"
        ]
    );
    let end = heard.events_in(server)[4];
    assert_eq!(end.level, Level::DEBUG);
    let fields = [
        "code",
        "by",
        "messages_received",
        "bytes_received",
        "bytes_sent",
    ];
    let fields = fields.map(|name| end.fields[name].as_str());
    assert_eq!(fields, ["1000", "the peer", "1", "5", "0"]);
    assert_eq!(heard.events_in(client)[5].fields["by"], "us");
    assert!(heard.events_in(client)[2].fields.contains_key("round_trip"));
}

#[test]
fn a_refusal_is_news_to_the_server_and_a_warning_to_the_client() {
    let (ear, _listening) = RecordingSubscriber::install(Level::TRACE);
    run(async {
        let acceptor = Acceptor::new().allow_path("/chat");
        let (server, client) = meet(&acceptor, &Connector::new(), "/other").await;
        assert!(server.is_err() && client.is_err());
    });
    let heard = ear.recorded();
    for (role, level) in [("server", Level::INFO), ("client", Level::WARN)] {
        let told = heard.events_in(heard.span_of(role));
        let [told] = told[..] else { panic!("{told:?}") };
        assert_eq!(
            (told.level, told.message()),
            (level, "the handshake was refused")
        );
        assert_eq!(told.fields["status"], "404");
    }
}

#[test]
fn a_handshake_that_fails_says_why() {
    let (ear, _listening) = RecordingSubscriber::install(Level::TRACE);
    run(async {
        let (accepted, connected) = tcp().await;
        drop(connected);
        Acceptor::new().accept(accepted).await.unwrap_err();
        let (accepted, connected) = tcp().await;
        drop(accepted);
        let connector = Connector::new();
        connector
            .connect_over(connected, "ws://localhost/")
            .await
            .unwrap_err();
    });
    let heard = ear.recorded();
    for (role, level) in [("server", Level::INFO), ("client", Level::WARN)] {
        let told = heard.events_in(heard.span_of(role));
        let [told] = told[..] else { panic!("{told:?}") };
        assert_eq!(
            (told.level, told.message()),
            (level, "the handshake failed")
        );
        assert!(!told.fields["error"].is_empty());
    }
}

#[test]
fn a_connection_that_is_cut_is_a_warning_with_the_error() {
    let (ear, _listening) = RecordingSubscriber::install(Level::WARN);
    run(async {
        let (mut server, client) = pair().await;
        drop(client);
        server.read(&mut [0]).await.unwrap_err();
    });
    let heard = ear.recorded();
    let told = heard.events_in(heard.span_of("server"));
    let [told] = told[..] else { panic!("{told:?}") };
    assert_eq!(
        (told.level, told.message()),
        (Level::WARN, "the connection ended badly")
    );
    assert_eq!(told.fields["error"], WsErr::UnexpectedEof.to_string());
    assert_eq!(heard.events.len(), 1, "who drops a view knows that himself");
}

#[test]
fn a_view_that_is_dropped_tells_that_and_no_more() {
    let (ear, _listening) = RecordingSubscriber::install(Level::TRACE);
    run(async {
        let (server, client) = pair().await;
        drop((server, client));
    });
    let heard = ear.recorded();
    assert_eq!(
        heard.messages_in(heard.span_of("client")),
        ["the handshake is done", "the connection was dropped"]
    );
    assert!(heard.events.iter().all(|told| told.level == Level::DEBUG));
}

/// And of a socket that was opened elsewhere, there is a span of which nothing else is known.
#[test]
fn a_peer_that_is_given_up_is_told_with_the_reason() {
    let (ear, _listening) = RecordingSubscriber::install(Level::TRACE);
    let soon = Duration::from_millis(1);
    let keepalive = Keepalive::default().interval(soon).timeout(soon);
    run(async {
        let impatient = config_without_keepalive().keepalive(keepalive);
        let (mut server, _silent) =
            tungstenite_pair_with(4096, impatient, config_without_keepalive()).await;
        server.read(&mut [0]).await.unwrap_err();
    });
    let heard = ear.recorded();
    assert!(heard.spans[0].is_empty(), "{:?}", heard.spans[0]);
    assert_eq!(
        heard.messages_in(0)[..3],
        [
            "ping sent",
            "the peer was given up",
            "the connection ended badly"
        ]
    );
    assert!(heard.events_in(0)[1].fields["error"].contains("silent"));
}

/// What must never be told, in each place where a user or a peer may put it.
const SECRET: &str = "hunter2";

async fn shows_secrets_in_a_handshake() {
    let url = format!("ws://ann:{SECRET}@localhost:80/chat?token={SECRET}");
    let connector = Connector::new()
        .header("Authorization", format!("Bearer {SECRET}"))
        .header("Cookie", format!("session={SECRET}"))
        .header("Origin", format!("https://{SECRET}@chat.example?{SECRET}"))
        .subprotocol(SECRET);
    let acceptor = Acceptor::new()
        .header("Set-Cookie", format!("session={SECRET}"))
        .subprotocol(SECRET);
    for is_refused in [false, true] {
        let (accepted, connected) = tcp().await;
        let judge = |_: &ws_framed::HandshakeRequest<'_>| {
            let refusal = Rejection::new(401, SECRET).header("X-Why", SECRET);
            if is_refused { Err(refusal) } else { Ok(()) }
        };
        let (server, client) = future::join(
            acceptor.accept_with(accepted, judge),
            connector.connect_over(connected, &url),
        )
        .await;
        assert_eq!(server.is_err(), is_refused, "{server:?}, {client:?}");
        assert_eq!(client.is_err(), is_refused);
    }
    let connector = connector.subprotocol(format!("not a token: {SECRET}"));
    let (_open, connected) = tcp().await;
    let refused = connector.connect_over(connected, &url).await.unwrap_err();
    assert!(refused.to_string().contains(SECRET), "{refused}");
}

/// Each ends in one of the ways that there are.
async fn shows_secrets_on_a_connection() {
    let lasts = [
        Frame::close(1000, SECRET),
        Frame::close(1011, SECRET),
        Frame::binary(SECRET.repeat(1000)),
        Frame::new(2, SECRET).rsv(1),
        Frame::text([SECRET.as_bytes(), b"\xff"].concat()),
        Frame::new(15, SECRET),
    ];
    for last in lasts {
        let (accepted, connected) = tcp().await;
        let config = config_without_keepalive()
            .text(TextPolicy::Event)
            .max_recv_message_len(1000);
        let acceptor = Acceptor::new().config(config);
        let (ours, mut peer) = future::join(
            acceptor.accept(accepted),
            RawPeer::handshake(
                async_tungstenite::tokio::TokioAdapter::new(connected),
                Role::Client,
            ),
        )
        .await;
        let mut ours = ours.unwrap();
        ours.write_all(SECRET.as_bytes()).await.unwrap();
        let say = [Frame::ping, Frame::pong, Frame::text, Frame::binary];
        for say in say {
            peer.send(&say(SECRET.as_bytes().to_vec())).await;
        }
        peer.send(&last).await;
        let ((heard, _), ()) = future::join(read_to_end(&mut ours), async {
            while peer.next().await.is_some() {}
            drop(peer);
        })
        .await;
        assert_eq!(heard, SECRET.as_bytes());
    }
    let (mut server, mut client) = pair().await;
    let frame = CloseFrame::new(CloseCode::from(4000), SECRET).unwrap();
    let (closed, _) = future::join(client.close_with(frame), read_to_end(&mut server)).await;
    closed.unwrap();
}

#[test]
fn nothing_that_was_written_is_ever_told() {
    let (ear, _listening) = RecordingSubscriber::install(Level::TRACE);
    run(async {
        shows_secrets_in_a_handshake().await;
        shows_secrets_on_a_connection().await;
    });
    let heard = ear.recorded();
    let fields = heard
        .spans
        .iter()
        .chain(heard.events.iter().map(|told| &told.fields));
    for (name, value) in fields.flatten() {
        assert!(!value.contains(SECRET), "{name}: {value}");
    }
    // The places have been reached.
    let messages: Vec<_> = heard.events.iter().map(RecordedEvent::message).collect();
    for message in [
        "the handshake is done",
        "the handshake was refused",
        "the handshake failed",
        "ping received",
        "pong received",
        "close sent",
        "close received",
        "the connection failed",
        "the connection ended badly",
        "the connection was closed",
    ] {
        assert!(messages.contains(&message), "{message}: {messages:?}");
    }
}
