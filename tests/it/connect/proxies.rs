//! HTTP and SOCKS5 proxies, by scripted peers. Real ones are in `tests/interop`.

use std::{io, net::SocketAddr, time::Duration};

use futures::future;
use support::{handshake::exchange_and_close, poll_at_most};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    runtime::Handle,
};
use ws_framed::{Acceptor, Config, Connector, ProxyError, SocksReply, WsErr};

use super::{Runtime, connect, on_runtimes};

/// A proxy on a port of its own.
struct Proxy(TcpListener);

impl Proxy {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Its URL, with `scheme` up to the host.
    fn url(&self, scheme: &str) -> String {
        format!("{scheme}{}", self.0.local_addr().unwrap())
    }

    async fn accept(&self) -> TcpStream {
        self.0.accept().await.unwrap().0
    }

    /// Reads a request, and sends a response.
    async fn respond(&self, response: &str) -> (TcpStream, String) {
        let mut client = self.accept().await;
        let request = support::handshake::read_head(&mut client).await;
        client.write_all(response.as_bytes()).await.unwrap();
        (client, request)
    }
}

/// Gives the error of a client whose CONNECT gets this response, and the request.
async fn error_for(runtime: Runtime, response: &str) -> (WsErr, String) {
    let proxy = Proxy::new().await;
    let connector = Connector::new().proxy(proxy.url("http://ann:hunter2@"));
    let connecting = connect(runtime, &connector, "ws://chat.example/?token=hunter2");
    let script = async {
        let (mut client, request) = proxy.respond(response).await;
        client.shutdown().await.unwrap();
        request
    };
    let (opened, request) = future::join(connecting, script).await;
    (opened.map(drop).unwrap_err(), request)
}

fn proxy_error(error: &WsErr) -> &ProxyError {
    match error {
        WsErr::Proxy(error) => error,
        error => panic!("{error:?}"),
    }
}

/// A tunnel carries a WebSocket. The proxy gets the name of the server, and Basic credentials. Its
/// interim response may be in a packet of its own.
#[test]
fn tunnel_by_connect() {
    on_runtimes(async |runtime| {
        for (url, expected, in_pieces) in [
            ("ws://ann:hunter2@chat.example/", "chat.example:80", false),
            ("ws://chat.example:8080/", "chat.example:8080", false),
            ("ws://[2001:db8::1]/", "[2001:db8::1]:80", false),
            ("ws://chat.example/", "chat.example:80", true),
        ] {
            let proxy = Proxy::new().await;
            let connector = Connector::new()
                .proxy(proxy.url("http://ann:p%40ss@"))
                .header("Cookie", "hunter2");
            let script = async {
                let interim = "HTTP/1.1 100 Continue\r\n\r\n";
                let established =
                    "HTTP/1.0 200 Connection established\r\nContent-Length: 7\r\n\r\n";
                let (client, request) = if in_pieces {
                    let (mut client, request) = proxy.respond(interim).await;
                    client.set_nodelay(true).unwrap();
                    // Gives the client the chance to read the first piece alone.
                    tokio::task::yield_now().await;
                    client.write_all(established.as_bytes()).await.unwrap();
                    (client, request)
                } else {
                    proxy.respond(&format!("{interim}{established}")).await
                };
                let expected = format!(
                    "CONNECT {expected} HTTP/1.1\r\nHost: {expected}\r\n\
                     Proxy-Authorization: Basic YW5uOnBAc3M=\r\n\r\n"
                );
                assert_eq!(request, expected);
                Acceptor::new().accept(client).await
            };
            let (client, server) = future::join(connect(runtime, &connector, url), script).await;
            exchange_and_close(server.unwrap(), client.unwrap()).await;
        }
    });
}

/// A refusal has its status, headers and reason, and no secret, whatever is wrong with its head.
#[test]
fn refused_tunnel() {
    let head = "HTTP/1.1 407 Proxy Authentication Required\r\n\
        Proxy-Authenticate: Basic realm=\"here\"\r\n";
    let body = "Content-Length: 12\r\n\r\nlog in first";
    let whole = format!("{head}{body}");
    let default_reason = "Proxy Authentication Required";
    let rows = [
        (whole.clone(), "log in first"),
        (whole.replace("HTTP/1.1", "HTTP/1.0"), "log in first"),
        (format!("{head}Server : a\r\n{body}"), "log in first"),
        (whole.replace("\r\n", "\n"), "log in first"),
        // Too long, so that its body is not known.
        (
            format!("{head}X: {}\r\n{body}", "x".repeat(17_000)),
            default_reason,
        ),
    ];
    on_runtimes(async |runtime| {
        for (response, reason) in &rows {
            let start: String = response.chars().take(120).collect();
            let (error, request) = error_for(runtime, response).await;
            assert!(request.contains("Basic YW5uOmh1bnRlcjI="), "{request}");
            let ProxyError::Rejected(rejected) = proxy_error(&error) else {
                panic!("{start:?} {error:?}")
            };
            assert_eq!(rejected.status(), 407, "{start:?}");
            assert_eq!(rejected.reason(), *reason, "{start:?}");
            let headers = rejected.headers();
            assert!(headers.contains_key("proxy-authenticate"), "{start:?}");
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
            let text = format!("{error} {error:?}");
            assert!(
                !text.contains("hunter2") && !text.contains("YW5u"),
                "{text}"
            );
            let said = "the proxy responded with HTTP status 407";
            assert!(error.to_string().contains(said), "{error}");
            assert!(error.to_string().contains(default_reason), "{error}");
        }
    });
}

/// Responses that are neither a tunnel nor a refusal.
#[test]
fn invalid_responses() {
    on_runtimes(async |runtime| {
        for response in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "SSH-2.0-OpenSSH_9.2\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nhello",
        ] {
            let (error, _) = error_for(runtime, response).await;
            assert!(
                matches!(proxy_error(&error), ProxyError::Invalid(_)),
                "{response:?}: {error:?}"
            );
        }
    });
}

/// A proxy that cannot be reached is `Connect`, and said to be a proxy.
#[test]
fn unreachable_proxy() {
    on_runtimes(async |runtime| {
        let proxy = Proxy::new().await;
        let connector = Connector::new().proxy(proxy.url("http://ann:hunter2@"));
        drop(proxy);
        let error = connect(runtime, &connector, "ws://chat.example/").await;
        let error = error.map(drop).unwrap_err();
        let WsErr::Connect(found) = &error else {
            panic!("{error:?}")
        };
        assert!(found.is_proxy());
        assert!(!error.to_string().contains("hunter2"), "{error}");
    });
}

/// The URL of a proxy that is not valid is reported when connecting, without a secret.
#[test]
fn invalid_proxy_url() {
    on_runtimes(async |runtime| {
        for url in ["proxy.example:3128", "socks4://ann:hunter2@proxy.example"] {
            let connector = Connector::new().proxy(url);
            let error = connect(runtime, &connector, "ws://chat.example/").await;
            let error = error.map(drop).unwrap_err();
            assert!(matches!(error, WsErr::InvalidUrl(_)), "{error:?}");
            assert!(!format!("{error:?} {connector:?}").contains("hunter2"));
        }
    });
}

/// A proxy that stops at any point of its handshake is `TimedOut`, and a refusal that has no end is
/// a refusal.
#[test]
fn silent_proxy_times_out() {
    on_runtimes(async |runtime| {
        for (scheme, response) in [
            ("http://", &b""[..]),
            ("http://", b"HTTP/1.1 200 OK\r\n"),
            ("http://", b"HTTP/1.1 200 OK\r\n\r\n"),
            ("http://", b"HTTP/1.1 403 Forbidden\r\n"),
            ("socks5://", b""),
            ("socks5://", b"\x05\x00\x05"),
        ] {
            let proxy = Proxy::new().await;
            let config = Config::default().handshake_timeout(Duration::from_millis(100));
            let connector = Connector::new().config(config).proxy(proxy.url(scheme));
            let connecting = connect(runtime, &connector, "ws://chat.example/");
            let script = async {
                let mut client = proxy.accept().await;
                client.write_all(response).await.unwrap();
                let _ = client.read_to_end(&mut Vec::new()).await;
            };
            let (opened, ()) = future::join(connecting, script).await;
            let error = opened.map(drop).unwrap_err();
            match &error {
                WsErr::Proxy(_) => assert!(response.starts_with(b"HTTP/1.1 403"), "{error:?}"),
                error => assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}"),
            }
        }
    });
}

/// Speaks SOCKS5 (RFC 1928) with a client, to the server at `target`. `reply` is its reply to the
/// request. It gives the requested name and port, and the credentials.
async fn serve_socks(
    client: &mut TcpStream,
    password: bool,
    reply: u8,
) -> io::Result<(String, u16, Vec<u8>)> {
    let mut head = [0; 2];
    client.read_exact(&mut head).await?;
    let mut methods = vec![0; head[1].into()];
    client.read_exact(&mut methods).await?;
    let method = if password { 2 } else { 0 };
    if !methods.contains(&method) {
        client.write_all(&[5, 0xff]).await?;
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    client.write_all(&[5, method]).await?;
    let mut credentials = Vec::new();
    if password {
        assert_eq!(client.read_u8().await?, 1);
        for _ in 0..2 {
            let mut text = vec![0; client.read_u8().await?.into()];
            client.read_exact(&mut text).await?;
            credentials.extend(text);
            credentials.push(b'/');
        }
        let is_known = credentials == b"ann/p@ss/";
        client.write_all(&[1, u8::from(!is_known)]).await?;
        if !is_known {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
    }
    let mut request = [0; 5];
    client.read_exact(&mut request).await?;
    assert_eq!(request[..4], [5, 1, 0, 3], "a name is sent as a name");
    let mut name = vec![0; request[4].into()];
    client.read_exact(&mut name).await?;
    let port = client.read_u16().await?;
    client
        .write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0])
        .await?;
    Ok((String::from_utf8(name).unwrap(), port, credentials))
}

/// A SOCKS5 proxy resolves the name, with and without a password.
#[test]
fn tunnel_by_socks5() {
    on_runtimes(async |runtime| {
        for (scheme, password) in [
            ("socks5://", false),
            ("socks5h://ann:p%40ss@", false),
            ("socks5h://ann:p%40ss@", true),
        ] {
            let proxy = Proxy::new().await;
            let connector = Connector::new().proxy(proxy.url(scheme));
            let script = async {
                let mut client = proxy.accept().await;
                let request = serve_socks(&mut client, password, 0).await.unwrap();
                assert_eq!((&*request.0, request.1), ("chat.example", 8080));
                Acceptor::new().accept(client).await
            };
            let connecting = connect(runtime, &connector, "ws://chat.example:8080/");
            let (client, server) = future::join(connecting, script).await;
            exchange_and_close(server.unwrap(), client.unwrap()).await;
        }
    });
}

/// The error of a client at such a proxy.
async fn socks_error(runtime: Runtime, scheme: &str, password: bool, reply: u8) -> WsErr {
    let proxy = Proxy::new().await;
    let connector = Connector::new().proxy(proxy.url(scheme));
    let script = async {
        let mut client = proxy.accept().await;
        let _ = serve_socks(&mut client, password, reply).await;
    };
    let connecting = connect(runtime, &connector, "ws://chat.example/");
    let (opened, ()) = future::join(connecting, script).await;
    opened.map(drop).unwrap_err()
}

/// Each reply of a SOCKS5 proxy, and wrong credentials, are errors of their own.
#[test]
fn refused_by_socks5() {
    on_runtimes(async |runtime| {
        for (reply, expected) in [
            (1, SocksReply::GeneralFailure),
            (2, SocksReply::NotAllowed),
            (3, SocksReply::NetworkUnreachable),
            (4, SocksReply::HostUnreachable),
            (5, SocksReply::ConnectionRefused),
            (6, SocksReply::TtlExpired),
            (7, SocksReply::CommandNotSupported),
            (8, SocksReply::AddressTypeNotSupported),
        ] {
            let error = socks_error(runtime, "socks5://", false, reply).await;
            assert!(
                matches!(proxy_error(&error), ProxyError::Socks(found) if *found == expected),
                "{error:?}"
            );
        }
        let error = socks_error(runtime, "socks5://", false, 9).await;
        assert!(
            matches!(proxy_error(&error), ProxyError::Invalid(_)),
            "{error:?}"
        );
        for scheme in ["socks5://", "socks5://ann:hunter2@"] {
            let error = socks_error(runtime, scheme, true, 0).await;
            assert!(
                matches!(proxy_error(&error), ProxyError::Unauthorized),
                "{error:?}"
            );
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    });
}

/// Serves one client as a proxy, until both ends of its tunnel have ended.
async fn serve_tunnel(proxy: Proxy, scheme: &str, server: SocketAddr) -> io::Result<()> {
    let mut client = proxy.accept().await;
    if scheme == "http://" {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await?);
        }
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    } else {
        serve_socks(&mut client, false, 0).await?;
    }
    let mut upstream = TcpStream::connect(server).await?;
    copy_bidirectional(&mut client, &mut upstream).await?;
    Ok(())
}

/// Dropping a client after any number of polls closes its socket to the proxy, and leaves no task.
#[test]
fn dropped_handshake_closes_the_tunnel() {
    on_runtimes(async |runtime| {
        let count_tasks = || Handle::current().metrics().num_alive_tasks();
        for scheme in ["http://", "socks5://"] {
            let tasks = count_tasks();
            let mut polls = 0;
            let mut is_open = false;
            while !is_open {
                polls += 1;
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let server = listener.local_addr().unwrap();
                let accept = async move {
                    let mut stream = ws_framed::accept(listener.accept().await.unwrap().0).await?;
                    Ok::<_, WsErr>(
                        futures::AsyncReadExt::read_to_end(&mut stream, &mut Vec::new()).await?,
                    )
                };
                let accepting = tokio::spawn(accept);
                let proxy = Proxy::new().await;
                let connector = Connector::new().proxy(proxy.url(scheme));
                let address = proxy.0.local_addr().unwrap();
                let serving = tokio::spawn(serve_tunnel(proxy, scheme, server));
                let connecting = connect(runtime, &connector, "ws://chat.example/");
                is_open = poll_at_most(polls, connecting).await.is_some();
                // A proxy that the client has not reached serves this one.
                drop(TcpStream::connect(address).await);
                // It sees the end.
                let _ = serving.await.unwrap();
                accepting.abort();
                let _ = accepting.await;
                assert_eq!(count_tasks(), tasks);
            }
            assert!(polls > 3, "{polls}");
        }
    });
}
