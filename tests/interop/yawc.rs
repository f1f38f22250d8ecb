//! yawc, a WebSocket library in Rust: messages that both ends compress, in both roles.

use std::convert::Infallible;

use futures::{SinkExt, TryStreamExt};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use support::{run, tcp};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use ws_framed::{
    Acceptor, CloseFrame, CloseOutcome, Config, Connector, Deflate, Message, WsStream,
};
use yawc::{Frame, OpCode, Options, WebSocket};

/// The settings of both ends, and what they agree on.
struct Case {
    ours: Deflate,
    theirs: Options,
    has_context: bool,
    /// Of messages that we send, and of messages that we receive.
    windows: (u8, u8),
}

/// Without context and with it, as each end asks for it, and with smaller windows.
fn cases() -> [Case; 4] {
    let alone = Deflate::default().min_len(0);
    let with_context = alone.send_context(true).recv_context(true);
    let theirs = |bits| {
        Options::default()
            .with_low_latency_compression()
            .with_utf8()
            // It compresses an empty message without end.
            .with_compression_threshold(1)
            // Without a preference, it selects a window of 9 bits.
            .with_client_max_window_bits(bits)
            .with_server_max_window_bits(bits)
    };
    [
        Case {
            ours: alone,
            theirs: theirs(15),
            has_context: false,
            windows: (15, 15),
        },
        Case {
            ours: with_context,
            theirs: theirs(15)
                .server_no_context_takeover()
                .client_no_context_takeover(),
            has_context: false,
            windows: (15, 15),
        },
        Case {
            ours: with_context,
            theirs: theirs(15),
            has_context: true,
            windows: (15, 15),
        },
        Case {
            ours: with_context.send_window_bits(11).recv_window_bits(10),
            theirs: theirs(13),
            has_context: true,
            windows: (11, 10),
        },
    ]
}

/// Texts and data, short, long and incompressible, each of them twice.
fn messages() -> Vec<Message> {
    let mut state = 1_u32;
    let random = (0..50_000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let random: Vec<u8> = random.collect();
    let messages = [
        Message::Text("Grüße, 世界".to_owned()),
        Message::Text(String::new()),
        Message::Text("long ".repeat(10_000)),
        Message::Binary(random.into()),
        Message::Binary(vec![7; 60_000].into()),
    ];
    messages.iter().chain(&messages).cloned().collect()
}

/// Sends back what comes, until our end closes.
async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut peer: WebSocket<S>) {
    while let Ok(frame) = peer.next_frame().await {
        let frame = match frame.opcode() {
            OpCode::Text => Frame::text(frame.into_payload()),
            OpCode::Binary => Frame::binary(frame.into_payload()),
            _ => continue,
        };
        peer.send(frame).await.unwrap();
    }
}

/// Our end agrees on the compression, gets each message back, and closes cleanly.
async fn converse(ours: WsStream, case: &Case) {
    let agreed = ours.compression().expect("compression");
    assert_eq!(
        [agreed.send_context, agreed.recv_context],
        [case.has_context; 2]
    );
    assert_eq!(
        (agreed.send_window_bits, agreed.recv_window_bits),
        case.windows
    );
    let mut ours = ours.messages();
    for message in messages() {
        ours.send(message.clone()).await.unwrap();
        assert_eq!(ours.try_next().await.unwrap(), Some(message));
    }
    let outcome = ours.close_with(CloseFrame::normal()).await.unwrap();
    assert!(matches!(outcome, CloseOutcome::Clean { .. }), "{outcome:?}");
}

fn config(case: &Case) -> Config {
    Config::default().compression(case.ours)
}

/// A client of yawc agrees on compression with our server, and each message arrives both ways.
#[test]
fn yawc_client_of_our_server() {
    run(async {
        for case in cases() {
            let (accepted, connected) = tcp().await;
            let url = "ws://localhost/".parse().unwrap();
            let theirs = WebSocket::handshake(url, connected, case.theirs.clone());
            let acceptor = Acceptor::new().config(config(&case));
            let (theirs, ours) = futures::join!(theirs, acceptor.accept(accepted));
            futures::join!(echo(theirs.unwrap()), converse(ours.unwrap(), &case));
        }
    });
}

/// Answers one request with yawc, and echoes.
async fn serve(socket: TcpStream, options: Options) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        let upgraded = WebSocket::upgrade_with_options(&mut request, options.clone());
        async {
            let (response, opening) = upgraded.unwrap();
            tokio::spawn(async { echo(opening.await.unwrap()).await });
            Ok::<_, Infallible>(response)
        }
    });
    let http = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    http.with_upgrades().await.unwrap();
}

/// A server of yawc agrees on compression with our client, and each message arrives both ways.
#[test]
fn our_client_at_yawc_server() {
    run(async {
        for case in cases() {
            let (accepted, connected) = tcp().await;
            tokio::spawn(serve(accepted, case.theirs.clone()));
            let connector = Connector::new().config(config(&case));
            let ours = connector.connect_over(connected, "ws://localhost/");
            converse(ours.await.unwrap(), &case).await;
        }
    });
}
