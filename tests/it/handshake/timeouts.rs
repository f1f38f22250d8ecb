//! A handshake that stalls, that takes too long, or that is none.

use std::{io::ErrorKind, time::Duration};

use futures::future;
use support::{ROLES, Role, handshake::open, run, tcp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use ws_framed::{Config, Connector, WsErr};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";

fn opening(role: Role) -> &'static [u8] {
    match role {
        Role::Server => REQUEST,
        Role::Client => ANSWER,
    }
}

/// Reads whatever there is, until the connection ends in any way.
async fn drain(peer: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut bytes = Vec::new();
    // What came before a reset counts.
    let _ = peer.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_handshake_that_stalls_times_out_and_frees_the_socket() {
    let config = Config::default().handshake_timeout(Duration::from_millis(100));
    for role in ROLES {
        for sent in [b"".as_slice(), b"H", opening(role)] {
            run(async {
                let (ours, mut peer) = tcp().await;
                peer.write_all(sent).await.unwrap();
                let (opened, _) =
                    future::join(open(role, config.clone(), ours), drain(&mut peer)).await;
                let error = opened.map(drop).unwrap_err();
                assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
                assert_eq!(error.kind(), ErrorKind::TimedOut);
            });
        }
    }
}

/// A byte now and then is no excuse: the time is for the whole handshake.
#[test]
fn a_handshake_that_trickles_times_out() {
    let config = Config::default().handshake_timeout(Duration::from_millis(200));
    for role in ROLES {
        run(async {
            let (ours, mut peer) = tcp().await;
            let trickle = async {
                peer.write_all(opening(role)).await.unwrap();
                let mut pace = tokio::time::interval(Duration::from_millis(20));
                loop {
                    pace.tick().await;
                    if peer.write_all(b"x").await.is_err() {
                        break;
                    }
                }
            };
            let (opened, ()) = future::join(open(role, config.clone(), ours), trickle).await;
            let error = opened.map(drop).unwrap_err();
            assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
        });
    }
}

#[test]
fn connect_times_out_when_nobody_answers() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let config = Config::default().handshake_timeout(Duration::from_millis(100));
        let error = Connector::new().config(config).connect(url).await;
        let error = error.map(drop).unwrap_err();
        assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
    });
}

/// Sends this, and then `more` so often, and reads the answer only then, as many clients do.
async fn send_then_read(mut peer: TcpStream, first: &[u8], more: &[u8], times: usize) -> String {
    peer.write_all(first).await.unwrap();
    for _ in 0..times {
        if peer.write_all(more).await.is_err() {
            break;
        }
    }
    drain(&mut peer).await
}

/// Whoever has sent a lot that nobody read is not reset before it has heard why.
#[test]
fn a_client_that_sends_more_than_is_read_hears_why_it_is_refused() {
    let rows: [(&[u8], &[u8], u16); 3] = [
        (REQUEST, b"X-Header: and so on\r\n", 431),
        (b"", &[b'x'; 100], 431),
        (
            b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n",
            &[b'x'; 1000],
            405,
        ),
    ];
    for (first, more, status) in rows {
        let times = 200_000 / more.len();
        run(async {
            let (ours, peer) = tcp().await;
            let config = Config::default().handshake_timeout(Duration::from_secs(5));
            let (opened, heard) = future::join(
                open(Role::Server, config, ours),
                send_then_read(peer, first, more, times),
            )
            .await;
            let error = opened.map(drop).unwrap_err();
            assert!(matches!(error, WsErr::Refused { status: told, .. } if told == status));
            assert!(
                heard.starts_with(&format!("HTTP/1.1 {status} ")),
                "heard {heard:?}"
            );
        });
    }
}

/// What is no HTTP at all is an error of the handshake, not of what comes after it.
#[test]
fn garbage_in_place_of_a_handshake_is_an_error() {
    for role in ROLES {
        for garbage in [
            vec![0xff; 1000],
            b"\x82\x05hello\r\n\r\n".repeat(50),
            b"\r\n\r\n".repeat(100),
        ] {
            run(async {
                let (ours, mut peer) = tcp().await;
                peer.write_all(&garbage).await.unwrap();
                peer.shutdown().await.unwrap();
                let (opened, _) =
                    future::join(open(role, Config::default(), ours), drain(&mut peer)).await;
                let error = opened.map(drop).unwrap_err();
                let is_typed = matches!(
                    error,
                    WsErr::Handshake(_) | WsErr::Refused { status: 400, .. }
                );
                assert!(is_typed, "{error:?}");
            });
        }
    }
}
