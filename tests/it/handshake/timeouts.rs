//! `handshake_timeout`, in both roles.

use std::{io::ErrorKind, time::Duration};

use futures::future;
use support::{ROLES, Role, handshake::open, run, tcp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use ws_framed::{Config, Connector, WsErr};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";

/// The first bytes that a peer sends to this role.
fn partial_head(role: Role) -> &'static [u8] {
    match role {
        Role::Server => REQUEST,
        Role::Client => RESPONSE,
    }
}

/// Reads until the connection ends, with or without an error.
async fn drain(peer: &mut (impl AsyncReadExt + Unpin)) {
    let mut bytes = Vec::new();
    let _ = peer.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap();
}

/// A peer that sends no complete head causes `TimedOut`. The socket is closed.
#[test]
fn stalled_handshake_times_out() {
    let config = Config::default().handshake_timeout(Duration::from_millis(100));
    for role in ROLES {
        for sent in [b"".as_slice(), b"H", partial_head(role)] {
            run(async {
                let (ours, mut peer) = tcp().await;
                peer.write_all(sent).await.unwrap();
                let (opened, ()) =
                    future::join(open(role, config.clone(), ours), drain(&mut peer)).await;
                let error = opened.map(drop).unwrap_err();
                assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
                assert_eq!(error.kind(), ErrorKind::TimedOut);
            });
        }
    }
}

/// A peer that sends a byte at intervals does not extend the time of the handshake.
#[test]
fn slow_handshake_times_out() {
    let config = Config::default().handshake_timeout(Duration::from_millis(200));
    for role in ROLES {
        run(async {
            let (ours, mut peer) = tcp().await;
            let script = async {
                peer.write_all(partial_head(role)).await.unwrap();
                let mut interval = tokio::time::interval(Duration::from_millis(20));
                loop {
                    interval.tick().await;
                    if peer.write_all(b"x").await.is_err() {
                        break;
                    }
                }
            };
            let (opened, ()) = future::join(open(role, config.clone(), ours), script).await;
            let error = opened.map(drop).unwrap_err();
            assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
        });
    }
}

/// `connect` to a server that never responds causes `TimedOut`.
#[test]
fn connect_without_response_times_out() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let config = Config::default().handshake_timeout(Duration::from_millis(100));
        let error = Connector::new().config(config).connect(url).await;
        let error = error.map(drop).unwrap_err();
        assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
    });
}
