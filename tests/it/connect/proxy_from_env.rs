//! Proxies from environment variables. A process cannot change its own safely, so the test starts
//! itself with others.

use std::{env, time::Duration};

use support::handshake::read_head;
use tokio::{io::AsyncWriteExt, net::TcpListener, process::Command};
use ws_framed::{Config, Connector, ProxyError, WsErr};

const URL: &str = "WS_FRAMED_TEST_URL";

/// Connects as the environment says. Gives what became of it.
async fn connect(url: &str) -> &'static str {
    let config = Config::default().handshake_timeout(Duration::from_secs(20));
    // Names lead nowhere, at once.
    let connector = Connector::new()
        .config(config)
        .resolver(async |_, _| Ok(vec![]))
        .proxy_from_env();
    match connector.connect(url).await.map(drop).unwrap_err() {
        WsErr::Proxy(error) if matches!(*error, ProxyError::Rejected(_)) => "proxy",
        WsErr::Connect(error) if !error.is_proxy() => "direct",
        WsErr::InvalidUrl(_) => "invalid",
        error => panic!("{error:?}"),
    }
}

/// Upper and lower case variables, by the scheme of the URL, with exceptions.
#[test]
fn variables_select_the_proxy() {
    support::run(async {
        if let Ok(url) = env::var(URL) {
            println!("result: {}", connect(&url).await);
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            loop {
                let mut client = listener.accept().await.unwrap().0;
                let head = read_head(&mut client).await;
                assert!(head.contains("Basic YW5uOnBAc3M="), "{head}");
                let refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
                client.write_all(refused).await.unwrap();
            }
        });
        let proxy = format!("http://ann:p%40ss@{address}");
        let without_scheme = format!("ann:p%40ss@{address}");
        let ws = "ws://chat.example/";
        for (variables, url, expected) in [
            (vec![], ws, "direct"),
            (vec![("HTTP_PROXY", &*proxy)], ws, "proxy"),
            (vec![("http_proxy", &*without_scheme)], ws, "proxy"),
            (vec![("HTTPS_PROXY", &*proxy)], ws, "direct"),
            (vec![("all_proxy", &*proxy)], ws, "proxy"),
            (
                vec![("ALL_PROXY", &*proxy), ("no_proxy", "example")],
                ws,
                "direct",
            ),
            (
                vec![("ALL_PROXY", &*proxy), ("NO_PROXY", "*")],
                ws,
                "direct",
            ),
            (
                vec![("ALL_PROXY", "socks4://ann:p%40ss@proxy")],
                ws,
                "invalid",
            ),
        ] {
            let mut child = Command::new(env::current_exe().unwrap());
            child
                .args([
                    "--exact",
                    "--nocapture",
                    "connect::proxy_from_env::variables_select_the_proxy",
                ])
                .env(URL, url)
                .kill_on_drop(true);
            for name in [
                "HTTP_PROXY",
                "HTTPS_PROXY",
                "ALL_PROXY",
                "NO_PROXY",
                "REQUEST_METHOD",
            ] {
                child.env_remove(name).env_remove(name.to_lowercase());
            }
            let output = child.envs(variables.clone()).output().await.unwrap();
            let output = String::from_utf8_lossy(&output.stdout).into_owned();
            let expected = format!("result: {expected}\n");
            assert!(output.contains(&expected), "{variables:?} {url}: {output}");
        }
    });
}
