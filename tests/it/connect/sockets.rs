//! The options of the sockets that `connect` opens.

use std::time::Duration;

use async_tungstenite::tokio::TokioAdapter;
use futures::future;
use support::{RawPeer, Role, handshake::read_head};
use tokio::{io::AsyncWriteExt, net::TcpListener, time::timeout};
use ws_framed::Connector;

use super::{connect, on_runtimes};

/// The sockets that `connect` opens hold little unsent data, without and with a proxy, where the
/// operating system would hold megabytes.
#[test]
fn opened_sockets_hold_little() {
    on_runtimes(async |runtime| {
        for is_proxied in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (connector, host) = if is_proxied {
                let connector = Connector::new().proxy(format!("http://{address}"));
                (connector, "chat.example".to_owned())
            } else {
                (Connector::new(), address.to_string())
            };
            let script = async {
                let mut socket = listener.accept().await.unwrap().0;
                if is_proxied {
                    read_head(&mut socket).await;
                    socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                }
                RawPeer::handshake(TokioAdapter::new(socket), Role::Server).await
            };
            let connecting = connect(runtime, &connector, format!("ws://{host}/"));
            let (client, _peer) = future::join(connecting, script).await;
            let mut client = client.unwrap();
            let block = [0; 16 * 1024];
            let mut written = 0;
            // The peer does not read, so that a write waits forever at last.
            let long = Duration::from_millis(100);
            while let Ok(len) =
                timeout(long, futures::AsyncWriteExt::write(&mut client, &block)).await
            {
                written += len.unwrap();
            }
            assert!(written < 1024 * 1024, "{written} bytes, {is_proxied}");
        }
    });
}
