//! Proxies in front of a client: Squid, tinyproxy, microsocks and Dante, with and without a
//! password; and HAProxy with TLS before an HTTP proxy.

use std::{fs, net::SocketAddr, process::Command};

use ws_framed::{Acceptor, Connector, ProxyError, SocksReply, WsErr};

use super::{Proxy, echo_server, exchange, program, test};
use crate::tls::{certificates, client_config, server_config};

/// Whether a proxy asks for the password `secret` of `ann`.
#[derive(Clone, Copy, PartialEq)]
enum Auth {
    None,
    Password,
}

async fn squid(auth: Auth, ports: &str) -> Result<Proxy, String> {
    let access = match auth {
        Auth::None => "http_access allow all",
        // It accepts any password.
        Auth::Password => {
            "auth_param basic program /usr/lib/squid/basic_fake_auth\n\
             auth_param basic realm test\n\
             acl known proxy_auth REQUIRED\n\
             http_access allow known\n\
             http_access deny all"
        }
    };
    let args = ["-N", "-f", "squid.conf"];
    let configure = |address: SocketAddr| {
        let config = format!(
            "http_port {address}\n\
             acl served port {ports}\n\
             http_access deny CONNECT !served\n\
             {access}\n\
             cache deny all\ncache_log /dev/null\naccess_log none\npid_filename none\n\
             pinger_enable off\nvisible_hostname proxy.test\nmax_filedescriptors 1024\n"
        );
        vec![("squid.conf", config)]
    };
    Proxy::start("squid", &args, configure).await
}

async fn tinyproxy(auth: Auth) -> Result<Proxy, String> {
    let args = ["-d", "-c", "tinyproxy.conf"];
    let configure = |address: SocketAddr| {
        let auth = match auth {
            Auth::None => "",
            Auth::Password => "BasicAuth ann secret",
        };
        let port = address.port();
        let config = format!("Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 10\n{auth}\n");
        vec![("tinyproxy.conf", config)]
    };
    Proxy::start("tinyproxy", &args, configure).await
}

async fn microsocks(auth: Auth) -> Result<Proxy, String> {
    let mut args = vec!["-i", "127.0.0.1", "-p", "PORT"];
    if auth == Auth::Password {
        args.extend(["-u", "ann", "-P", "secret"]);
    }
    Proxy::start("microsocks", &args, |_| vec![]).await
}

/// The entry of `ann` in the files of users, with `secret` as a hash of `crypt`.
const USER: &str = "ann:x:65001:65534::/:/bin/false\n";
const HASH: &str = "ann:$6$ws$2xNgXmwLJ9ZiojCXc/IMDVGw0tIwcxaORjeQS02TVyixTomfHYSk8iwjhKWqM20aul2yOQTaz\
                    uA34dnEq5XON/:20000:0:99999:7:::\n";

/// Runs a program that sees the files of users in its folder as those of the system.
const WITH_USERS: &str =
    "mount --bind passwd /etc/passwd && mount --bind shadow /etc/shadow && exec \"$@\"";

/// Dante, which connects to no port `blocked`. It knows the users of the system, so another one
/// needs root.
async fn dante(auth: Auth, blocked: u16) -> Result<Proxy, String> {
    let danted = program("danted")?;
    let configure = |address: SocketAddr| {
        let (ip, port) = (address.ip(), address.port());
        let method = match auth {
            Auth::None => "none",
            Auth::Password => "username\nuser.privileged: root\nuser.unprivileged: daemon",
        };
        let all = "from: 0.0.0.0/0 to: 0.0.0.0/0";
        let config = format!(
            "logoutput: stderr\ninternal: {ip} port = {port}\nexternal: lo\n\
             clientmethod: none\nsocksmethod: {method}\n\
             client pass {{ {all} }}\n\
             socks block {{ {all} port = {blocked} }}\n\
             socks pass {{ {all} }}\n"
        );
        let mut files = vec![("danted.conf", config)];
        if auth == Auth::Password {
            let users = fs::read_to_string("/etc/passwd").unwrap();
            files.push(("passwd", users + USER));
            files.push(("shadow", HASH.to_owned()));
        }
        files
    };
    let args = ["-f", "danted.conf", "-p", "danted.pid"];
    if auth == Auth::None {
        return Proxy::start("danted", &args, configure).await;
    }
    let id = Command::new("id").arg("-u").output();
    let unshare = Command::new("unshare").args(["--mount", "true"]).output();
    if !id.is_ok_and(|id| id.stdout == b"0\n") || !unshare.is_ok_and(|run| run.status.success()) {
        return Err("a password needs root and a mount namespace".to_owned());
    }
    let mut own = vec![
        "--mount",
        "sh",
        "-c",
        WITH_USERS,
        "sh",
        danted.to_str().unwrap(),
    ];
    own.extend(args);
    Proxy::start("unshare", &own, configure).await
}

/// Connects through a proxy to servers with and without TLS, on tokio and smol.
async fn tunnel(proxy: &str) {
    let connector = Connector::new().tls(client_config()).proxy(proxy);
    let plain = echo_server(Acceptor::new(), |stream| stream).await;
    let secure = echo_server(Acceptor::new().tls(server_config()), |stream| stream).await;
    let plain = format!("ws://{plain}/");
    let secure = format!("wss://localhost:{}/", secure.port());
    exchange(connector.connect(&plain).await.unwrap()).await;
    exchange(connector.connect(&secure).await.unwrap()).await;
    let smol = ws_framed::smol::connect_with(&connector, &secure).await;
    exchange(smol.unwrap()).await;
}

/// The error of a connection through a proxy.
async fn refusal(proxy: &str, url: &str) -> ProxyError {
    let connecting = Connector::new().proxy(proxy).connect(url).await;
    let error = connecting.map(drop).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains("hunter2"), "{text}");
    match error {
        WsErr::Proxy(error) => *error,
        error => panic!("{error:?}"),
    }
}

/// The status and a header of a refusal.
fn status(refusal: &ProxyError) -> u16 {
    match refusal {
        ProxyError::Rejected(response) => response.status().as_u16(),
        error => panic!("{error:?}"),
    }
}

/// A port that nothing listens on.
async fn closed() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("ws://{}/", listener.local_addr().unwrap())
}

/// `CONNECT` through Squid, which asks for a password, refuses ports, and reports a dead server.
#[test]
fn squid_as_forward_proxy() {
    test("Squid", async {
        let proxy = squid(Auth::None, "1-65535").await?;
        let url = format!("http://{}", proxy.address);
        tunnel(&url).await;
        assert_eq!(status(&refusal(&url, &closed().await).await), 503);
        drop(proxy);

        // The default of distributions: only 443.
        let proxy = squid(Auth::Password, "443").await?;
        let with = |user: &str| format!("http://{user}{}", proxy.address);
        let refused = refusal(&with("ann:hunter2@"), &closed().await).await;
        assert_eq!(status(&refused), 403);
        let refused = refusal(&with(""), "ws://127.0.0.1:443/").await;
        assert_eq!(status(&refused), 407);
        let ProxyError::Rejected(response) = refused else {
            unreachable!("it has a status")
        };
        assert_eq!(
            response.headers()["proxy-authenticate"],
            "Basic realm=\"test\""
        );
        Ok(())
    });
}

/// `CONNECT` through tinyproxy, with right, wrong and no credentials.
#[test]
fn tinyproxy_as_forward_proxy() {
    test("tinyproxy", async {
        let proxy = tinyproxy(Auth::None).await?;
        let url = format!("http://{}", proxy.address);
        tunnel(&url).await;
        assert_eq!(status(&refusal(&url, &closed().await).await), 500);
        drop(proxy);

        let proxy = tinyproxy(Auth::Password).await?;
        tunnel(&format!("http://ann:secret@{}", proxy.address)).await;
        for (user, expected) in [("", 407), ("ann:hunter2@", 401)] {
            let url = format!("http://{user}{}", proxy.address);
            assert_eq!(status(&refusal(&url, &closed().await).await), expected);
        }
        Ok(())
    });
}

/// SOCKS5 through microsocks, with right, wrong and no credentials.
#[test]
fn microsocks_as_forward_proxy() {
    test("microsocks", async {
        let proxy = microsocks(Auth::None).await?;
        let url = format!("socks5h://{}", proxy.address);
        tunnel(&url).await;
        let refused = refusal(&url, &closed().await).await;
        assert!(
            matches!(refused, ProxyError::Socks(SocksReply::ConnectionRefused)),
            "{refused:?}"
        );
        drop(proxy);

        let proxy = microsocks(Auth::Password).await?;
        tunnel(&format!("socks5://ann:secret@{}", proxy.address)).await;
        for user in ["", "ann:hunter2@"] {
            let url = format!("socks5://{user}{}", proxy.address);
            let refused = refusal(&url, &closed().await).await;
            assert!(matches!(refused, ProxyError::Unauthorized), "{refused:?}");
        }
        Ok(())
    });
}

/// SOCKS5 through Dante, with right, wrong and no credentials, and to a port that is not allowed.
#[test]
fn dante_as_forward_proxy() {
    test("Dante", async {
        let (closed, blocked) = (closed().await, closed().await);
        let blocked_port = blocked.trim_end_matches('/').rsplit(':').next().unwrap();
        let proxy = dante(Auth::None, blocked_port.parse().unwrap()).await?;
        let url = format!("socks5://{}", proxy.address);
        tunnel(&url).await;
        for (target, expected) in [
            (&closed, SocksReply::ConnectionRefused),
            (&blocked, SocksReply::NotAllowed),
        ] {
            match refusal(&url, target).await {
                ProxyError::Socks(reply) => assert_eq!(reply, expected),
                error => panic!("{error:?}"),
            }
        }
        drop(proxy);

        let proxy = dante(Auth::Password, 1).await?;
        tunnel(&format!("socks5h://ann:secret@{}", proxy.address)).await;
        for user in ["", "ann:hunter2@"] {
            let url = format!("socks5://{user}{}", proxy.address);
            let refused = refusal(&url, &closed).await;
            assert!(matches!(refused, ProxyError::Unauthorized), "{refused:?}");
        }
        Ok(())
    });
}

/// An `https://` proxy: TLS with the proxy, and TLS with the server within it.
#[test]
fn proxy_over_tls() {
    test("a proxy over TLS", async {
        let proxy = tinyproxy(Auth::Password).await?;
        let backend = proxy.address;
        let args = ["-db", "-f", "haproxy.cfg"];
        let configure = |address: SocketAddr| {
            let config = format!(
                "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n\
                 listen proxy\n  bind {address} ssl crt tls.pem\n  server tinyproxy {backend}\n"
            );
            vec![
                ("haproxy.cfg", config),
                ("tls.pem", certificates().pem.clone()),
            ]
        };
        let secure = Proxy::start("haproxy", &args, configure).await?;
        tunnel(&format!(
            "https://ann:secret@localhost:{}",
            secure.address.port()
        ))
        .await;
        Ok(())
    });
}
