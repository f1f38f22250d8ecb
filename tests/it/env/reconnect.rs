//! `Reconnector`, over real sockets.

use std::{cell::Cell, convert::Infallible, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, future};
use tokio::net::{TcpListener, TcpStream};
use ws_framed::{CloseFrame, CloseOutcome, Config, Connector, Reconnector, WsErr, WsStream};

/// Serves a connection that is dropped at once, a rejected one, and two that echo a word and are
/// dropped.
async fn serve(listener: &TcpListener) {
    let accept = async || listener.accept().await.unwrap().0;
    drop(accept().await);
    let reject = async {
        let mut socket = accept().await;
        let answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
        let mut request = [0; 1];
        while !request.ends_with(b"\n") {
            tokio::io::AsyncReadExt::read(&mut socket, &mut request)
                .await
                .unwrap();
        }
        tokio::io::AsyncWriteExt::write_all(&mut socket, answer)
            .await
            .unwrap();
    };
    reject.await;
    echo(accept().await).await;
    echo(accept().await).await;
}

async fn echo(socket: TcpStream) {
    let mut stream = ws_framed::accept(socket).await.unwrap();
    let mut word = [0; 4];
    stream.read_exact(&mut word).await.unwrap();
    stream.write_all(&word).await.unwrap();
    stream.flush().await.unwrap();
}

async fn echo_word(stream: &mut WsStream, word: &[u8; 4]) {
    stream.write_all(word).await.unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, word);
}

/// A `Reconnector` tries again after a dropped connection and a rejection, and connects again after
/// an abnormal closure.
#[tokio::test]
async fn reconnects_after_failures() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let attempts = Cell::new(0);
    let mut reconnector = Reconnector::new(async || {
        attempts.set(attempts.get() + 1);
        ws_framed::connect(&url).await
    })
    .initial_backoff(Duration::from_millis(1))
    .max_backoff(Duration::from_millis(5));
    let client = async {
        let mut first = reconnector.connect().await.unwrap();
        assert_eq!(attempts.get(), 3, "one was dropped, and one rejected");
        echo_word(&mut first, b"here").await;
        let mut rest = Vec::new();
        first.read_to_end(&mut rest).await.unwrap_err();

        let mut second = reconnector.connect().await.unwrap();
        assert_eq!(attempts.get(), 4);
        echo_word(&mut second, b"next").await;
        let outcome = second.close_with(CloseFrame::normal()).await.unwrap();
        assert!(matches!(outcome, CloseOutcome::Lost(_)), "{outcome:?}");
    };
    future::join(serve(&listener), client).await;
}

/// A loop that connects again after each clean end stops at a close code that the caller has chosen
/// as a failure.
#[tokio::test]
async fn loop_stops_at_failure_code() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let connector = Connector::new().config(Config::default().failure_codes([4401]));
    let mut reconnector = Reconnector::new(async || connector.connect(&url).await)
        .initial_backoff(Duration::from_millis(1))
        .max_backoff(Duration::from_millis(5));
    let serve = async {
        for code in [1000, 4001, 4401] {
            let socket = listener.accept().await.unwrap().0;
            let mut stream = ws_framed::accept(socket).await.unwrap();
            let frame = CloseFrame::new(code.into(), "log in").unwrap();
            stream.close_with(frame).await.unwrap();
        }
    };
    let follow = async {
        loop {
            let mut stream = reconnector.connect().await?;
            stream.read_to_end(&mut Vec::new()).await?;
        }
    };
    let ((), ended) = future::join(serve, follow).await;
    let ended: Result<Infallible, WsErr> = ended;
    let error = ended.unwrap_err();
    assert_eq!(error.close_code(), Some(4401.into()), "{error:?}");
}

/// A rejection that no repetition changes is returned after one attempt, whatever else is wrong
/// with the response, and whichever runtime connects.
#[tokio::test]
async fn final_rejections_are_returned() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = &format!("ws://{}/", listener.local_addr().unwrap());
    let long = format!("HTTP/1.1 403 x\r\nX: {}\r\n\r\n", "x".repeat(17_000));
    for (response, expected) in [
        ("HTTP/1.0 404 Not Found\r\n\r\n", 404),
        ("HTTP/1.1 301 x\r\nLocation: /b\r\n\r\n", 301),
        ("HTTP/1.1 308 x\n\n", 308),
        ("HTTP/1.1 403 x\r\nServer : a\r\n\r\n", 403),
        (&long, 403),
    ] {
        for on_smol in [false, true] {
            let attempts = Cell::new(0);
            let mut reconnector = Reconnector::new(async || {
                attempts.set(attempts.get() + 1);
                if on_smol {
                    ws_framed::smol::connect(url).await
                } else {
                    ws_framed::connect(url).await
                }
            });
            let serve = async {
                let mut socket = listener.accept().await.unwrap().0;
                support::handshake::read_head(&mut socket).await;
                let written = tokio::io::AsyncWriteExt::write_all(&mut socket, response.as_bytes());
                written.await.unwrap();
            };
            let (result, ()) = future::join(reconnector.connect(), serve).await;
            let error = result.unwrap_err();
            let WsErr::Rejected(rejected) = &error else {
                panic!("{response}: {error:?}");
            };
            assert_eq!((rejected.status().as_u16(), attempts.get()), (expected, 1));
        }
    }
}

/// An invalid URL is an error at once, without another attempt.
#[tokio::test]
async fn invalid_url_fails_at_once() {
    let mut reconnector = Reconnector::new(async || ws_framed::connect("ftp://localhost").await);
    let error = reconnector.connect().await.unwrap_err();
    assert!(matches!(error, WsErr::InvalidUrl(_)), "{error:?}");
}

/// The future of `connect` is `Send`, so that a task of a multi-threaded runtime can hold it.
#[tokio::test]
async fn connect_runs_in_a_task() {
    let task = tokio::spawn(async {
        let mut reconnector = Reconnector::new(async || ws_framed::connect("no URL").await);
        reconnector.connect().await.map(drop)
    });
    task.await.unwrap().unwrap_err();
}
