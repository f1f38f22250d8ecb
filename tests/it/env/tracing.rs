//! Feature `tracing`: the spans and events of connections.

use std::{collections::BTreeSet, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, future};
use support::{
    RecordedEvent, RecordingSubscriber, config_without_keepalive, pair, read_to_end, run, tcp,
    tungstenite_pair_with,
};
use tokio::net::TcpListener;
use tracing::Level;
use ws_framed::{Acceptor, CloseFrame, Connector, Keepalive, Lines, Rejection, WsErr, WsStream};

/// The results of `accept` for a server and of `connect` for a client, on TCP.
async fn open(
    acceptor: &Acceptor,
    connector: &Connector,
    path: &str,
) -> (Result<WsStream, WsErr>, Result<WsStream, WsErr>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}{path}", listener.local_addr().unwrap());
    let server = async { acceptor.accept(listener.accept().await.unwrap().0).await };
    future::join(server, connector.connect(url)).await
}

/// A connection has a span with its peer, and events from the handshake to the close. The span ends
/// with its stream, not with the last handle.
#[test]
fn records_handshake_to_close() {
    let (subscriber, _guard) = RecordingSubscriber::install(Level::TRACE);
    run(async {
        let connector = Connector::new()
            .config(config_without_keepalive())
            .header("Origin", "https://chat.example");
        let acceptor = Acceptor::new().config(config_without_keepalive());
        let (server, client) = open(&acceptor, &connector, "/room/7").await;
        let (mut server, mut client) = (server.unwrap(), client.unwrap());
        client.write_all(b"hello").await.unwrap();
        let handle = client.handle();
        let script = async {
            handle.ping().await.unwrap();
            handle.close(CloseFrame::normal()).unwrap();
        };
        let ends = future::join(read_to_end(&mut server), read_to_end(&mut client));
        let (((data, _), _), ()) = future::join(ends, script).await;
        assert_eq!(data, b"hello");
        drop((server, client));
        assert!(
            subscriber
                .recorded()
                .holders
                .iter()
                .all(|holders| *holders == 0),
            "a span ends with its stream, not with the last handle"
        );
    });
    let recorded = subscriber.recorded();
    assert_eq!(recorded.spans.len(), 2);
    let (server, client) = (recorded.span_of("server"), recorded.span_of("client"));
    let (at_server, at_client) = (&recorded.spans[server], &recorded.spans[client]);
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
        recorded.messages_in(client),
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
        recorded.messages_in(server),
        [
            "the handshake is done",
            "ping received",
            "close received",
            "close sent",
            "the connection was closed"
        ]
    );
    let end = recorded.events_in(server)[4];
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
    assert_eq!(recorded.events_in(client)[5].fields["by"], "us");
    assert!(
        recorded.events_in(client)[2]
            .fields
            .contains_key("round_trip")
    );
}

/// A rejection is an event of level `INFO` for the server and `WARN` for the client, with its
/// status.
#[test]
fn records_a_rejection() {
    let (subscriber, _guard) = RecordingSubscriber::install(Level::TRACE);
    run(async {
        let acceptor = Acceptor::new().allow_path("/chat");
        let (server, client) = open(&acceptor, &Connector::new(), "/other").await;
        assert!(server.is_err() && client.is_err());
    });
    let recorded = subscriber.recorded();
    for (role, level) in [("server", Level::INFO), ("client", Level::WARN)] {
        let events = recorded.events_in(recorded.span_of(role));
        let [event] = events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(
            (event.level, event.message()),
            (level, "the handshake was rejected")
        );
        assert_eq!(event.fields["status"], "404");
    }
}

/// A plain request that the callback answers is an event of level `DEBUG`.
#[test]
fn records_a_health_check() {
    let (subscriber, _guard) = RecordingSubscriber::install(Level::TRACE);
    run(async {
        let (accepted, mut client) = tcp().await;
        let health = async |_| Err::<(), _>(Rejection::new(200, "ok"));
        let acceptor = Acceptor::new().on_request(health);
        let check = async {
            let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
            tokio::io::AsyncWriteExt::write_all(&mut client, request)
                .await
                .unwrap();
            let mut response = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut client, &mut response)
                .await
                .unwrap();
            drop(client);
        };
        let (server, ()) = future::join(acceptor.accept(accepted), check).await;
        assert!(server.is_err());
    });
    let recorded = subscriber.recorded();
    let [event] = recorded.events_in(recorded.span_of("server"))[..] else {
        panic!("{:?}", recorded.events)
    };
    assert_eq!(
        (event.level, event.message()),
        (Level::DEBUG, "the request was answered")
    );
    assert_eq!(event.fields["status"], "200");
}

/// A failed handshake is an event of level `INFO` for the server and `WARN` for the client, with
/// its error.
#[test]
fn records_a_failed_handshake() {
    let (subscriber, _guard) = RecordingSubscriber::install(Level::TRACE);
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
    let recorded = subscriber.recorded();
    for (role, level) in [("server", Level::INFO), ("client", Level::WARN)] {
        let events = recorded.events_in(recorded.span_of(role));
        let [event] = events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(
            (event.level, event.message()),
            (level, "the handshake failed")
        );
        assert!(!event.fields["error"].is_empty());
    }
}

/// An abnormal closure is an event of level `INFO` for the server and `WARN` for the client, with
/// its error. A stream that the caller drops is none.
#[test]
fn records_an_abnormal_closure() {
    for (role, level) in [("server", Level::INFO), ("client", Level::WARN)] {
        let (subscriber, _guard) = RecordingSubscriber::install(Level::INFO);
        run(async {
            let (server, client) = pair().await;
            let (mut ours, peer) = match role {
                "server" => (server, client),
                _ => (client, server),
            };
            drop(peer);
            ours.read(&mut [0]).await.unwrap_err();
        });
        let recorded = subscriber.recorded();
        let [event] = recorded.events_in(recorded.span_of(role))[..] else {
            panic!("{:?}", recorded.events)
        };
        assert_eq!(
            (event.level, event.message()),
            (level, "the connection ended badly")
        );
        assert_eq!(event.fields["error"], WsErr::UnexpectedEof.to_string());
        assert_eq!(
            recorded.events.len(),
            1,
            "a stream that the caller drops is no warning"
        );
    }
}

/// A dropped stream is one event of level `DEBUG`.
#[test]
fn records_a_dropped_stream() {
    let (subscriber, _guard) = RecordingSubscriber::install(Level::TRACE);
    run(async {
        let (server, client) = pair().await;
        drop((server, client));
    });
    let recorded = subscriber.recorded();
    assert_eq!(
        recorded.messages_in(recorded.span_of("client")),
        ["the handshake is done", "the connection was dropped"]
    );
    assert!(
        recorded
            .events
            .iter()
            .all(|event| event.level == Level::DEBUG)
    );
}

/// The event of a connection that its codec fails has the codec's reason, and no data.
#[test]
fn records_the_reason_of_the_codec() {
    let (subscriber, _guard) = RecordingSubscriber::install(Level::DEBUG);
    run(async {
        let (server, client) = pair().await;
        let mut small = server.framed(Lines::new(4));
        let mut large = client.framed(Lines::new(100));
        large.send("secret".to_owned()).await.unwrap();
        let ends = future::join(small.next(), large.next()).await;
        assert!(matches!(ends, (Some(Err(_)), Some(Err(_)))));
    });
    let recorded = subscriber.recorded();
    let events = recorded.events_in(recorded.span_of("server"));
    let failed = |event: &&RecordedEvent| event.message() == "the connection failed";
    let fields = &events.into_iter().find(failed).unwrap().fields;
    assert!(fields["reason"].contains("limit of 4 bytes"), "{fields:?}");
    assert!(!fields.values().any(|value| value.contains("secret")));
}

/// Each connection of the process has an id of its own.
#[test]
fn ids_are_unique() {
    let (subscriber, _guard) = RecordingSubscriber::install(Level::DEBUG);
    run(async {
        drop((pair().await, pair().await));
    });
    let recorded = subscriber.recorded();
    let ids: BTreeSet<&str> = recorded.spans.iter().map(|span| &*span["id"]).collect();
    assert_eq!(ids.len(), 4, "{ids:?}");
}

/// A peer that keepalive finds dead is an event with the reason. The span of a socket that the
/// caller opened has no field but the id.
#[test]
fn records_a_keepalive_timeout() {
    let (subscriber, _guard) = RecordingSubscriber::install(Level::TRACE);
    let short = Duration::from_millis(1);
    let keepalive = Keepalive::default().interval(short).timeout(short);
    run(async {
        let config = config_without_keepalive().keepalive(keepalive);
        let (mut server, _silent) =
            tungstenite_pair_with(4096, config, config_without_keepalive()).await;
        server.read(&mut [0]).await.unwrap_err();
    });
    let recorded = subscriber.recorded();
    let fields: Vec<&str> = recorded.spans[0].keys().map(String::as_str).collect();
    assert_eq!(fields, ["id"]);
    assert_eq!(
        recorded.messages_in(0)[..3],
        [
            "ping sent",
            "the connection timed out",
            "the connection ended badly"
        ]
    );
    assert!(recorded.events_in(0)[1].fields["error"].contains("silent"));
}
