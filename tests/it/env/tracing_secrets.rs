//! Feature `tracing`: what is never recorded.

use futures::{AsyncWriteExt, future};
use support::{
    Frame, RawPeer, RecordedEvent, RecordingSubscriber, Role, config_without_keepalive, pair,
    read_to_end, run, tcp,
};
use tracing::Level;
use ws_framed::{Acceptor, CloseCode, CloseFrame, Connector, Rejection, TextPolicy};

/// What a caller and a peer put wherever they can.
const SECRET: &str = "hunter2";

/// Handshakes that succeed, are rejected and fail.
async fn send_secrets_in_handshakes() {
    let url = format!("ws://ann:{SECRET}@localhost:80/chat?token={SECRET}");
    let connector = Connector::new()
        .header("Authorization", format!("Bearer {SECRET}"))
        .header("Cookie", format!("session={SECRET}"))
        .header("Origin", format!("https://{SECRET}@chat.example?{SECRET}"))
        .subprotocol(SECRET);
    let acceptor = Acceptor::new()
        .header("Set-Cookie", format!("session={SECRET}"))
        .subprotocol(SECRET);
    for is_rejected in [false, true] {
        let (accepted, connected) = tcp().await;
        let acceptor = acceptor.clone().on_request(move |_| async move {
            let rejection = Rejection::new(401, SECRET).header("X-Why", SECRET);
            if is_rejected { Err(rejection) } else { Ok(()) }
        });
        let (server, client) = future::join(
            acceptor.accept(accepted),
            connector.connect_over(connected, &url),
        )
        .await;
        assert_eq!(server.is_err(), is_rejected, "{server:?}, {client:?}");
        assert_eq!(client.is_err(), is_rejected);
    }
    let connector = connector.subprotocol(format!("not a token: {SECRET}"));
    let (_open, connected) = tcp().await;
    let error = connector.connect_over(connected, &url).await.unwrap_err();
    assert!(error.to_string().contains(SECRET), "{error}");
    // URLs in which a password is easily taken for a host or a path.
    for url in [
        "ws:\\\\ann:80://SECRET",
        "ws:\\\\ann:SECRET@localhost:80\\chat",
        "ws:ann:SECRET@localhost?SECRET",
        "ws://ann:SECRET/@localhost/SECRET",
        "http:ann:SECRET:80/@localhost/#SECRET",
    ] {
        let (_, connected) = tcp().await;
        let url = url.replace("SECRET", SECRET);
        Connector::new()
            .connect_over(connected, url)
            .await
            .unwrap_err();
    }
}

/// Connections that end in each possible way.
async fn send_secrets_on_connections() {
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
        for frame in [Frame::ping, Frame::pong, Frame::text, Frame::binary] {
            peer.send(&frame(SECRET.as_bytes().to_vec())).await;
        }
        peer.send(&last).await;
        let ((data, _), ()) = future::join(read_to_end(&mut ours), async {
            while peer.next().await.is_some() {}
            drop(peer);
        })
        .await;
        assert_eq!(data, SECRET.as_bytes());
    }
    let (mut server, mut client) = pair().await;
    let frame = CloseFrame::new(CloseCode::from(4000), SECRET).unwrap();
    let (closed, _) = future::join(client.close_with(frame), read_to_end(&mut server)).await;
    closed.unwrap();
}

/// No span or event contains data, a query, a password, a reason, or a header but `Host` and
/// `Origin`.
#[test]
fn secrets_are_never_recorded() {
    let (subscriber, _guard) = RecordingSubscriber::install(Level::TRACE);
    run(async {
        send_secrets_in_handshakes().await;
        send_secrets_on_connections().await;
    });
    let recorded = subscriber.recorded();
    let fields = recorded
        .spans
        .iter()
        .chain(recorded.events.iter().map(|event| &event.fields));
    for (name, value) in fields.flatten() {
        assert!(!value.contains(SECRET), "{name}: {value}");
    }
    // The events that could contain it were recorded.
    let messages: Vec<_> = recorded.events.iter().map(RecordedEvent::message).collect();
    for message in [
        "the handshake is done",
        "the handshake was rejected",
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
