//! Peers without this library, with one message for each item: Python's `websockets`, Node's `ws`,
//! and the `WebSocket` of a web page. A test installs a missing package into a directory of the
//! build. If that fails, the test prints that it is skipped.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use futures::{AsyncBufReadExt, SinkExt, StreamExt, io::BufReader};
use serde_json::{Value, json};
use smol::{
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdout, Command, Stdio},
};
use support::timeout_after;
use ws_framed::{
    Acceptor, CloseCode, CloseFrame, CloseOutcome, ClosedBy, Config, Connector, Deflate, Json,
    WsFramed, WsStream,
};

/// Longer than an interpreter or a browser takes to start on a busy machine, or a registry to
/// respond.
pub(super) const TIMEOUT: Duration = Duration::from_secs(120);

type Values = WsFramed<Value, Json<Value>>;

fn values(stream: WsStream) -> Values {
    stream.per_message(Json::new(64 * 1024))
}

fn test<F: Future>(test: F) {
    smol::block_on(timeout_after(TIMEOUT, test));
}

/// Prints that a test is skipped, to the stderr that the test harness does not capture.
pub(super) fn skip(what: &str, why: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED: {what}: {why}");
}

pub(super) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a command, which must succeed.
pub(super) async fn runs(command: &mut Command) -> Result<(), String> {
    let output = command.kill_on_drop(true).output().await;
    match output.map_err(|error| error.to_string())? {
        output if output.status.success() => Ok(()),
        output => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Starts a command, and reads its lines.
pub(super) fn start(command: &mut Command) -> (Child, Lines) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, Lines(lines))
}

pub(super) struct Lines(futures::io::Lines<BufReader<ChildStdout>>);

impl Lines {
    pub(super) async fn next(&mut self) -> Value {
        let line = self.0.next().await.expect("one more line").unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// Two tests install the same package.
static INSTALLING: smol::lock::Mutex<()> = smol::lock::Mutex::new(());

/// A Python in which `websockets` is installed.
async fn python(script: &str) -> Result<Command, String> {
    let packages = folder("peers-python");
    let guard = INSTALLING.lock().await;
    if !packages.join("websockets").exists() {
        let args = "-m pip install --quiet --retries 1 --timeout 20 --no-deps websockets==15.0.1";
        let mut pip = Command::new("python3");
        pip.args(args.split(' ')).arg("--target").arg(&packages);
        runs(&mut pip).await?;
    }
    drop(guard);
    runs(Command::new("python3").arg("--version")).await?;
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", packages).args(["-c", script]);
    Ok(python)
}

/// A Node in which `ws` is installed.
async fn node(name: &str, script: &str) -> Result<Command, String> {
    let packages = folder("peers-node");
    let guard = INSTALLING.lock().await;
    if !packages.join("node_modules/ws").exists() {
        let args = "install --silent --no-audit --no-fund --fetch-retries=1 --fetch-timeout=20000";
        let mut npm = Command::new("npm");
        npm.args(args.split(' ')).arg("ws@8").current_dir(&packages);
        runs(npm.arg("--prefix").arg(&packages)).await?;
    }
    drop(guard);
    runs(Command::new("node").arg("--version")).await?;
    let file = packages.join(name);
    fs::write(&file, script).unwrap();
    let mut node = Command::new("node");
    node.arg(file);
    Ok(node)
}

/// Both sides closed with the same code.
fn clean(code: u16, reason: &str, by: ClosedBy) -> CloseOutcome {
    let code = CloseCode::from(code);
    CloseOutcome::Clean {
        code,
        reason: reason.to_owned(),
        our_code: Some(code),
        by,
    }
}

fn closing(code: u16, reason: &str) -> CloseFrame {
    CloseFrame::new(CloseCode::from(code), reason).unwrap()
}

/// Without compression, and with it, with and without context.
fn compressions() -> [Option<Deflate>; 3] {
    let alone = Deflate::default().min_len(0);
    let with_context = alone
        .send_context(true)
        .recv_context(true)
        .send_window_bits(11);
    [None, Some(alone), Some(with_context)]
}

/// Every peer here agrees to compress if we do.
fn compressed(stream: WsStream, compression: Option<Deflate>) -> Values {
    assert_eq!(stream.compression().is_some(), compression.is_some());
    values(stream)
}

async fn accept(listener: &TcpListener, compression: Option<Deflate>) -> Values {
    let (socket, _) = listener.accept().await.unwrap();
    let acceptor = Acceptor::new().config(Config::default().compression(compression));
    compressed(
        acceptor.accept_futures_io(socket).await.unwrap(),
        compression,
    )
}

/// The first client sends values and closes. The server closes the second connection.
async fn serve(listener: &TcpListener, compression: Option<Deflate>) {
    let mut first = accept(listener, compression).await;
    let mut echoed = 0;
    while let Some(value) = first.next().await {
        let value = value.unwrap();
        first.send(json!({ "echo": value })).await.unwrap();
        echoed += 1;
    }
    assert_eq!(echoed, 5);
    let handle = first.handle();
    assert_eq!(handle.closed().await, clean(3001, "done", ClosedBy::Peer));
    assert_eq!(handle.stats().messages_sent, 5);

    let mut second = accept(listener, compression).await;
    assert_eq!(second.next().await.unwrap().unwrap(), "close");
    let outcome = second.close_with(closing(4002, "enough")).await.unwrap();
    assert!(
        matches!(
            outcome,
            CloseOutcome::Clean {
                by: ClosedBy::Us,
                ..
            }
        ),
        "{outcome:?}"
    );
}

/// The same at a server of the peer, which prints its port and how each connection was closed.
async fn connect(mut output: Lines, compression: Option<Deflate>) {
    let port = output.next().await;
    let open = async || {
        let port = u16::try_from(port.as_u64().unwrap()).unwrap();
        let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let connector = Connector::new().config(Config::default().compression(compression));
        let stream = connector.connect_over_futures_io(socket, "ws://localhost/");
        compressed(stream.await.unwrap(), compression)
    };
    let mut first = open().await;
    let long = json!("long ".repeat(5_000));
    for value in [
        json!("ann"),
        json!({"text": "Grüße, 世界"}),
        long,
        Value::Null,
    ] {
        first.send(value.clone()).await.unwrap();
        let echoed = first.next().await.unwrap().unwrap();
        assert_eq!(echoed, json!({ "echo": value }));
    }
    let outcome = first.close_with(closing(3001, "done")).await.unwrap();
    assert_eq!(outcome, clean(3001, "done", ClosedBy::Us));
    assert_eq!(output.next().await, json!([3001, "done"]));

    let mut second = open().await;
    second.send(json!("close")).await.unwrap();
    assert!(second.next().await.is_none());
    let outcome = second.handle().closed().await;
    assert_eq!(outcome, clean(4002, "enough", ClosedBy::Peer));
    assert_eq!(output.next().await, json!([4002, "enough"]));
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    (listener, url)
}

/// A client of Python's `websockets` exchanges values with our server, and both sides close
/// cleanly.
#[test]
fn python_client_of_our_server() {
    test(async {
        let mut python = match python(include_str!("scripts/client.py")).await {
            Ok(python) => python,
            Err(why) => return skip("Python's websockets", &why),
        };
        for compression in compressions() {
            let (listener, url) = listen().await;
            let (_client, mut output) = start(python.arg(url));
            serve(&listener, compression).await;
            assert_eq!(output.next().await, json!([3001, "done"]));
            assert_eq!(output.next().await, json!([4002, "enough"]));
        }
    });
}

/// Our client exchanges values with a server of Python's `websockets`, and both sides close
/// cleanly.
#[test]
fn our_client_at_python_server() {
    test(async {
        let mut python = match python(include_str!("scripts/server.py")).await {
            Ok(python) => python,
            Err(why) => return skip("Python's websockets", &why),
        };
        for compression in compressions() {
            let (_server, output) = start(&mut python);
            connect(output, compression).await;
        }
    });
}

/// A client of Node's `ws` exchanges values with our server, and both sides close cleanly.
#[test]
fn node_client_of_our_server() {
    test(async {
        let script = [
            "import WebSocket from 'ws';",
            include_str!("scripts/client.js"),
            "for (const close of await converse(WebSocket, process.argv.at(-1))) \
                 console.log(JSON.stringify(close));",
        ];
        let mut node = match node("client.mjs", &script.join("\n")).await {
            Ok(node) => node,
            Err(why) => return skip("Node's ws", &why),
        };
        for compression in compressions() {
            let (listener, url) = listen().await;
            let (_client, mut output) = start(node.arg(url));
            serve(&listener, compression).await;
            assert_eq!(output.next().await, json!([3001, "done"]));
            assert_eq!(output.next().await, json!([4002, "enough"]));
        }
    });
}

/// Our client exchanges values with a server of Node's `ws`, and both sides close cleanly.
#[test]
fn our_client_at_node_server() {
    test(async {
        let mut node = match node("server.mjs", include_str!("scripts/server.mjs")).await {
            Ok(node) => node,
            Err(why) => return skip("Node's ws", &why),
        };
        for compression in compressions() {
            let (_server, output) = start(&mut node);
            connect(output, compression).await;
        }
    });
}

/// The browser that the environment names, which must run, or one on the path.
pub(super) async fn browser() -> Option<Command> {
    let chosen = std::env::var("BROWSER_UNDER_TEST").unwrap_or_default();
    let usual = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let names = if chosen.is_empty() {
        &usual[..]
    } else {
        &[&*chosen]
    };
    for name in names {
        if runs(Command::new(name).arg("--version")).await.is_ok() {
            let mut browser = Command::new(name);
            browser.args(["--headless", "--no-sandbox", "--disable-gpu"]);
            browser.args(["--disable-dev-shm-usage", "--disable-background-networking"]);
            return Some(browser);
        }
    }
    // CI names it, so that the tests with it are not skipped there.
    assert!(chosen.is_empty(), "{chosen} does not run");
    None
}

/// The `WebSocket` of a web page exchanges values with our server. The page reports its closes over
/// a third connection.
#[test]
fn browser_client_of_our_server() {
    test(async {
        let Some(mut browser) = browser().await else {
            return skip("a page's own WebSocket", "no Chrome or Chromium");
        };
        let compression = Some(Deflate::default().min_len(0));
        let (listener, url) = listen().await;
        let folder = folder("peers-browser");
        let page = folder.join("page.html");
        let script = [
            "<!doctype html><meta charset='utf-8'><script>",
            include_str!("scripts/client.js"),
            &format!("const url = '{url}';"),
            "converse(WebSocket, url).catch(String).then(async (closes) => {
                 const { socket } = await open(WebSocket, url);
                 socket.send(JSON.stringify(closes));
             });</script>",
        ];
        fs::write(&page, script.join("\n")).unwrap();
        let profile = format!("--user-data-dir={}", folder.join("profile").display());
        browser
            .arg(profile)
            .arg(format!("file://{}", page.display()));
        let (_browser, _) = start(browser.stderr(Stdio::null()));
        serve(&listener, compression).await;
        let closes = accept(&listener, compression)
            .await
            .next()
            .await
            .unwrap()
            .unwrap();
        assert_eq!(closes, json!([[3001, "done"], [4002, "enough"]]));
    });
}
