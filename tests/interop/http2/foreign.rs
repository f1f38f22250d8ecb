//! Peers without this library: Node's `http2`, and the `WebSocket` of a web page over TLS.

use std::fs;

use axum::{
    Router,
    response::Html,
    routing::{any, get},
};
use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt};
use serde_json::{Value, json};
use smol::process::{Command, Stdio};
use support::timeout_after;
use tokio::sync::mpsc::unbounded_channel;
use ws_framed::{
    Acceptor, CloseCode, CloseFrame, CloseOutcome, ClosedBy, Connector, Json, WsErr, WsFramed,
    WsStream, axum::WsUpgrade, http, hyper::Http2,
};

use super::{LIMIT, MaybeTls, Server, WAYS, connect};
use crate::peers::{TIMEOUT, browser, folder, runs, skip, start};

fn clean(code: u16, by: ClosedBy) -> CloseOutcome {
    let code = code.into();
    CloseOutcome::Clean {
        code,
        reason: String::new(),
        by,
        our_code: Some(code),
    }
}

/// Sends values back until the client closes. Returns how that ended.
async fn echo(stream: WsStream) -> CloseOutcome {
    let mut values: WsFramed<Value, Json<Value>> = stream.per_message(Json::new(64 * 1024));
    while let Some(value) = values.next().await {
        let value = value.unwrap();
        values.send(json!({ "echo": value })).await.unwrap();
    }
    values.handle().closed().await
}

/// A Node that runs the script, from a folder of this name.
async fn node(name: &str) -> Result<Command, String> {
    runs(Command::new("node").arg("--version")).await?;
    let file = folder(name).join("http2.mjs");
    fs::write(&file, include_str!("../scripts/http2.mjs")).unwrap();
    let mut node = Command::new("node");
    node.arg(file);
    Ok(node)
}

/// Node opens WebSockets at our servers, several on a connection, exchanges text, and closes.
#[tokio::test]
async fn node_client_of_our_server() {
    for way in WAYS {
        timeout_after(TIMEOUT, async {
            let mut node = match node("http2-client").await {
                Ok(node) => node,
                Err(why) => return skip("Node's http2", &why),
            };
            let acceptor = Acceptor::new().subprotocol("v2").allow_path("/");
            let mut server = Server::start(way, acceptor).await;
            let url = server.url("").replacen("ws", "http", 1);
            let url = url.replace("localhost", "127.0.0.1");
            let (_client, mut output) = start(node.arg(url));
            assert_eq!(output.next().await, json!(true));
            for _ in 0..2 {
                let stream = server.results.recv().await.unwrap().unwrap();
                assert_eq!(echo(stream).await, clean(4001, ClosedBy::Peer));
                assert_eq!(output.next().await, json!([200, "v2", null]));
                assert_eq!(output.next().await, json!([8, 4001]));
            }
            assert_eq!(output.next().await, json!(404));
            let error = server.results.recv().await.unwrap().map(drop).unwrap_err();
            assert!(error.is_rejected(), "{error:?}");
        })
        .await;
    }
}

/// Our client opens WebSockets at a server of Node, and closes them.
#[tokio::test]
async fn our_client_at_node_server() {
    timeout_after(TIMEOUT, async {
        let mut node = match node("http2-server").await {
            Ok(node) => node,
            Err(why) => return skip("Node's http2", &why),
        };
        let (_server, mut output) = start(&mut node);
        let port = u16::try_from(output.next().await.as_u64().unwrap()).unwrap();
        let (sender, mut connection) = connect(([127, 0, 0, 1], port).into(), false).await;
        let http2 = Http2::handshake(sender, &mut connection, LIMIT)
            .await
            .unwrap();
        tokio::spawn(connection);
        let connector = Connector::new().subprotocol("v2");
        for _ in 0..2 {
            let url = format!("ws://localhost:{port}/echo?room=7");
            let mut stream = http2.connect(&connector, url).await.unwrap();
            assert_eq!(stream.subprotocol(), Some("v2"));
            let data = vec![7; 40_000];
            stream.write_all(&data).await.unwrap();
            stream.flush().await.unwrap();
            let mut echoed = vec![0; 40_000];
            stream.read_exact(&mut echoed).await.unwrap();
            assert_eq!(echoed, data);
            let frame = CloseFrame::new(CloseCode::from(4001), "").unwrap();
            let outcome = stream.close_with(frame).await.unwrap();
            assert_eq!(outcome, clean(4001, ClosedBy::Us));
        }
        let error = http2.connect(&connector, "ws://localhost/other").await;
        match error.unwrap_err() {
            WsErr::Rejected(response) => {
                assert_eq!(response.status(), 404);
                assert_eq!(response.reason(), "no such room");
            }
            error => panic!("{error:?}"),
        }
    })
    .await;
}

/// The `WebSocket` of a page that came over HTTP/2 uses the same connection.
#[tokio::test]
async fn browser_client_of_our_server() {
    timeout_after(TIMEOUT, async {
        let Some(mut browser) = browser().await else {
            return skip(
                "a page's own WebSocket over HTTP/2",
                "no Chrome or Chromium",
            );
        };
        let (sender, mut results) = unbounded_channel();
        let listener = MaybeTls::bind(true).await;
        let port = listener.tcp.local_addr().unwrap().port();
        let acceptor = Acceptor::new()
            .allow_origin(format!("https://localhost:{port}"))
            .allow_host(format!("localhost:{port}"))
            .on_request(async |request| Ok(request.version()));
        let page = [
            "<!doctype html><meta charset='utf-8'><script>",
            include_str!("../scripts/client.js"),
            "const url = `wss://${location.host}/socket`;
             converse(WebSocket, url).catch(String).then(async (closes) => {
                 const { socket } = await open(WebSocket, url);
                 socket.send(JSON.stringify(closes));
             });</script>",
        ];
        let page = page.join("\n");
        let socket = any(async move |upgrade: WsUpgrade| {
            let (response, opening) = upgrade.upgrade(&acceptor).await;
            tokio::spawn(async move { sender.send(opening.await) });
            response
        });
        let router: Router = Router::new()
            .route("/page", get(async move || Html(page)))
            .route("/socket", socket);
        tokio::spawn(async move { axum::serve(listener, router).await });

        let profile = folder("http2-browser").join("profile");
        browser.arg(format!("--user-data-dir={}", profile.display()));
        browser.arg("--ignore-certificate-errors");
        browser.arg(format!("https://localhost:{port}/page"));
        let (_browser, _) = start(browser.stderr(Stdio::null()));

        let mut accept = async || {
            let (stream, version) = results.recv().await.unwrap().unwrap();
            assert_eq!(version, http::Version::HTTP_2);
            stream
        };
        let first = echo(accept().await).await;
        let done = CloseOutcome::Clean {
            code: CloseCode::from(3001),
            reason: "done".to_owned(),
            by: ClosedBy::Peer,
            our_code: Some(CloseCode::from(3001)),
        };
        assert_eq!(first, done);
        let mut second: WsFramed<Value, Json<Value>> = accept().await.per_message(Json::new(100));
        assert_eq!(second.next().await.unwrap().unwrap(), "close");
        let frame = CloseFrame::new(CloseCode::from(4002), "enough").unwrap();
        assert!(second.close_with(frame).await.unwrap().is_clean());
        let mut third: WsFramed<Value, Json<Value>> = accept().await.per_message(Json::new(100));
        let closes = third.next().await.unwrap().unwrap();
        assert_eq!(closes, json!([[3001, "done"], [4002, "enough"]]));
    })
    .await;
}
