//! What a URL becomes, in each way to connect.

use futures::future;
use support::{handshake::read_head, timeout};
use tokio::{
    io::{AsyncRead, duplex},
    net::TcpListener,
};
use tokio_util::compat::TokioAsyncReadCompatExt;
use ws_framed::{Connector, WsErr, WsStream, connect, smol};

/// The head of a request, after which the peer disconnects.
async fn head_of_request(
    opening: impl Future<Output = Result<WsStream, WsErr>>,
    peer: impl Future<Output = impl AsyncRead + Unpin>,
) -> String {
    let (result, head) = future::join(opening, async { read_head(peer.await).await }).await;
    result.unwrap_err();
    head
}

/// The heads of the requests for a URL, in each way to connect. `{}` stands for a host and a port.
async fn heads(url: &str, listener: &TcpListener) -> [String; 5] {
    let url = url.replace("{}", &listener.local_addr().unwrap().to_string());
    let connector = Connector::new();
    let accept = async || listener.accept().await.unwrap().0;
    let (over, server) = duplex(4096);
    let (over_futures_io, other_server) = duplex(4096);
    [
        head_of_request(connect(&url), accept()).await,
        head_of_request(connector.connect(&url), accept()).await,
        head_of_request(smol::connect_with(&connector, &url), accept()).await,
        head_of_request(connector.connect_over(over, &url), future::ready(server)).await,
        head_of_request(
            connector.connect_over_futures_io(over_futures_io.compat(), &url),
            future::ready(other_server),
        )
        .await,
    ]
}

/// All ways to connect parse URLs as browsers do, and send a user as `Authorization`.
#[tokio::test]
async fn all_ways_parse_alike() {
    timeout(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("Host: {}", listener.local_addr().unwrap());
        for (url, lines) in [
            ("ws://{}", &["GET / HTTP/1.1"][..]),
            ("WS://{}?room=7#x", &["GET /?room=7 HTTP/1.1"]),
            ("Http://{}/a b?\u{e9}|", &["GET /a%20b?%C3%A9%7C HTTP/1.1"]),
            (
                "ws://ann@mail.example:pa%3Ass@{}/",
                &[
                    "GET / HTTP/1.1",
                    "Authorization: Basic YW5uQG1haWwuZXhhbXBsZTpwYTpzcw==",
                ],
            ),
        ] {
            for head in heads(url, &listener).await {
                let found: Vec<&str> = head.lines().collect();
                for line in lines.iter().chain([&&*host]) {
                    assert!(found.contains(line), "{line}: {head}");
                }
                assert!(!head.contains("ann"), "{head}");
            }
        }
    })
    .await;
}

/// The zone of an IPv6 address is for the operating system, not for the server.
#[tokio::test]
async fn zones_are_not_sent() {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else {
        eprintln!("SKIPPED: no IPv6");
        return;
    };
    timeout(async {
        let port = listener.local_addr().unwrap().port();
        let accept = async || listener.accept().await.unwrap().0;
        let connector = Connector::new();
        for zone in ["%251", "%1"] {
            let url = format!("ws://[::1{zone}]:{port}/");
            let heads = [
                head_of_request(connect(&url), accept()).await,
                head_of_request(smol::connect_with(&connector, &url), accept()).await,
            ];
            for head in heads {
                assert!(
                    head.contains(&format!("\r\nHost: [::1]:{port}\r\n")),
                    "{head}"
                );
            }
        }
    })
    .await;
}

/// Bytes that follow a name and a password by mistake are not in errors.
#[tokio::test]
async fn passwords_are_not_in_errors() {
    timeout(async {
        for url in [
            "ws://ann:secret@",
            "ws://ann:secret@host:port/",
            "ws://ann:secret/@host/",
            "ws://ann:secret@[::1/",
            "wsss://ann:secret@host/",
        ] {
            let error = connect(url).await.unwrap_err();
            assert!(matches!(error, WsErr::InvalidUrl(_)), "{url}: {error:?}");
            assert!(
                !format!("{error} {error:?}").contains("secret"),
                "{error:?}"
            );
        }
    })
    .await;
}
