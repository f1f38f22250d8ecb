//! Redirects: what the error says, and `follow_redirects`.

use std::time::Duration;

use futures::future::{self, Either};
use support::handshake::{exchange_and_close, read_head, response_to};
use tokio::{io::AsyncWriteExt, net::TcpListener};
use ws_framed::{Config, Connector, Redirect, WsErr};

use super::{connect, on_runtimes};

/// A server that answers each request with a script, by its number. It gives the requests.
async fn serve(listener: &TcpListener, responses: &[String]) -> Vec<String> {
    let mut requests = Vec::new();
    for response in responses {
        let mut socket = listener.accept().await.unwrap().0;
        let request = read_head(&mut socket).await;
        let response = match response.as_str() {
            "101" => response_to(request.as_bytes()),
            response => response.as_bytes().to_vec(),
        };
        socket.write_all(&response).await.unwrap();
        requests.push(request);
    }
    requests
}

fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

/// The redirect in the error of a client at `url`.
async fn redirect_of(response: String, url: &str) -> Option<Redirect> {
    let (client, mut server) = tokio::io::duplex(4096);
    let script = async {
        read_head(&mut server).await;
        server.write_all(response.as_bytes()).await.unwrap();
    };
    let (opened, ()) = future::join(Connector::new().connect_over(client, url), script).await;
    match opened.map(drop).unwrap_err() {
        WsErr::Rejected(response) => response.redirect().cloned(),
        error => panic!("{error:?}"),
    }
}

/// An error tells the target, resolved against the URL, and whether it may be followed.
#[test]
fn targets_of_redirects() {
    support::run(async {
        for (url, location, expected) in [
            (
                "ws://a.example/x/y?q",
                "z",
                Some(("ws://a.example/x/z", true)),
            ),
            (
                "ws://a.example/x/y",
                "/z?r#f",
                Some(("ws://a.example/z?r", true)),
            ),
            (
                "ws://a.example:81/",
                "?r",
                Some(("ws://a.example:81/?r", true)),
            ),
            (
                "wss://a.example/",
                "//b.example/",
                Some(("wss://b.example/", true)),
            ),
            (
                "ws://a.example/",
                "https://b.example",
                Some(("wss://b.example/", true)),
            ),
            (
                "ws://a.example/",
                "http://b.example:80/",
                Some(("ws://b.example/", true)),
            ),
            (
                "wss://a.example/",
                "http://a.example/",
                Some(("ws://a.example/", false)),
            ),
            (
                "ws://a.example/",
                "ws://ann:secret@b.example/",
                Some(("ws://b.example/", true)),
            ),
            (
                "ws://[fe80::1%25lo]/x",
                "y",
                Some(("ws://[fe80::1%25lo]/y", true)),
            ),
            ("ws://a.example/", "ftp://b.example/", None),
            ("ws://a.example/", "http://[", None),
        ] {
            let found = redirect_of(redirect(302, location), url).await;
            let found = found.as_ref().map(|own| (own.url(), own.may_follow()));
            assert_eq!(found, expected, "{url} {location}");
        }
        for (status, expected) in [
            (301, true),
            (303, true),
            (307, true),
            (308, true),
            (300, false),
            (304, false),
            (404, false),
        ] {
            let found = redirect_of(redirect(status, "/z"), "ws://a.example/").await;
            assert_eq!(found.is_some(), expected, "{status}");
        }
    });
}

/// Nothing prints a target, whose query may be a secret.
#[test]
fn target_is_not_printed() {
    support::run(async {
        let found = redirect_of(redirect(302, "/?token=hunter2"), "ws://a.example/").await;
        assert!(!format!("{found:?}").contains("hunter2"));
    });
}

/// Redirects are followed up to the given number, and none by default.
#[test]
fn redirects_are_followed() {
    on_runtimes(async |runtime| {
        for (max, is_open) in [(0, false), (1, false), (2, true)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("ws://ann:secret@{}/a", listener.local_addr().unwrap());
            let connector = Connector::new()
                .header("Cookie", "session")
                .follow_redirects(max);
            let responses = [redirect(307, "b"), redirect(308, "/c"), "101".to_owned()];
            let responses = &responses[..=usize::try_from(max).unwrap()];
            let (opened, requests) = future::join(
                connect(runtime, &connector, &url),
                serve(&listener, responses),
            )
            .await;
            assert_eq!(opened.is_ok(), is_open, "{opened:?}");
            // The origin is the same.
            for (request, path) in requests.iter().zip(["/a", "/b", "/c"]) {
                assert!(
                    request.starts_with(&format!("GET {path} HTTP/1.1\r\n")),
                    "{request}"
                );
                assert!(request.contains("\r\nCookie: session\r\n"), "{request}");
                assert!(request.contains("\r\nAuthorization: Basic YW5uOnNlY3JldA==\r\n"));
            }
            if let Err(error) = opened {
                let WsErr::Rejected(response) = error else {
                    panic!("{error:?}")
                };
                let target = response.redirect().unwrap().url();
                assert!(
                    target.ends_with(["/b", "/c"][responses.len() - 1]),
                    "{target}"
                );
            }
        }
    });
}

/// Another origin gets no credentials, and neither does the first one after it.
#[test]
fn credentials_stay_with_their_origin() {
    let in_url = ("ann:secret@", Connector::new());
    let in_header = (
        "",
        Connector::new().header("Authorization", "Bearer secret"),
    );
    for (user, connector) in [in_url, in_header] {
        assert_credentials_stay(user, &connector);
    }
}

fn assert_credentials_stay(user: &str, connector: &Connector) {
    on_runtimes(async |runtime| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let other_address = other.local_addr().unwrap();
        let connector = connector
            .clone()
            .header("Cookie", "secret")
            .header("X-Api-Key", "secret")
            .header("Host", "secret.example")
            .header("Origin", "https://chat.example")
            .header("User-Agent", "test")
            .subprotocol("v2")
            .follow_redirects(5);
        let away = [redirect(302, &format!("ws://{user}{other_address}/b"))];
        let back = [redirect(302, &format!("http://{address}/c"))];
        let rejection = ["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned()];
        let servers = async {
            let first = serve(&listener, &away).await;
            let second = serve(&other, &back).await;
            (first, second, serve(&listener, &rejection).await)
        };
        let url = format!("ws://{user}{address}/a");
        let connecting = connect(runtime, &connector, &url);
        let (opened, (first, second, third)) = future::join(connecting, servers).await;
        let WsErr::Rejected(response) = opened.map(drop).unwrap_err() else {
            panic!("it is rejected")
        };
        assert_eq!(response.status(), 404);
        assert!(first[0].contains("Authorization") && first[0].contains("secret"));
        for (request, host) in [(&second[0], other_address), (&third[0], address)] {
            assert!(!request.contains("secret"), "{request}");
            assert!(!request.contains("Authorization"), "{request}");
            assert!(
                request.contains(&format!("\r\nHost: {host}\r\n")),
                "{request}"
            );
            assert!(
                request.contains("\r\nOrigin: https://chat.example\r\n"),
                "{request}"
            );
            assert!(request.contains("\r\nUser-Agent: test\r\n"), "{request}");
        }
    });
}

/// A followed redirect leads to an open connection.
#[test]
fn redirected_connection_works() {
    on_runtimes(async |runtime| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/a", listener.local_addr().unwrap());
        let connector = Connector::new().follow_redirects(1);
        let server = async {
            serve(&listener, &[redirect(302, "/b")]).await;
            ws_framed::accept(listener.accept().await.unwrap().0).await
        };
        let (client, server) = future::join(connect(runtime, &connector, &url), server).await;
        exchange_and_close(server.unwrap(), client.unwrap()).await;
    });
}

/// `handshake_timeout` bounds all requests together: a target that is silent, and redirects without
/// end.
#[test]
fn redirects_share_the_deadline() {
    on_runtimes(async |runtime| {
        for is_silent in [true, false] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("ws://{}/a", listener.local_addr().unwrap());
            let config = Config::default().handshake_timeout(Duration::from_millis(100));
            let connector = Connector::new().config(config).follow_redirects(u32::MAX);
            let connecting = Box::pin(connect(runtime, &connector, &url));
            let server = Box::pin(async {
                loop {
                    serve(&listener, &[redirect(302, "/b")]).await;
                    if is_silent {
                        let _socket = listener.accept().await;
                        future::pending::<()>().await;
                    }
                }
            });
            match future::select(connecting, server).await {
                Either::Left((opened, _)) => {
                    let error = opened.map(drop).unwrap_err();
                    assert!(error.is_timeout(), "{error:?}");
                }
                Either::Right((never, _)) => never,
            }
        }
    });
}
