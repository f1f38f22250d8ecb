//! A connection that is dialled again, over real sockets.

use std::{cell::Cell, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, future};
use tokio::net::{TcpListener, TcpStream};
use ws_framed::{CloseFrame, CloseOutcome, Reconnector, WsErr, WsStream};

/// Serves one connection in three ways: hangs up, refuses, echoes a word and drops the connection.
async fn serve(listener: &TcpListener) {
    let accept = async || listener.accept().await.unwrap().0;
    drop(accept().await);
    let refused = async {
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
    refused.await;
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

async fn ask(stream: &mut WsStream, word: &[u8; 4]) {
    stream.write_all(word).await.unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, word);
}

#[tokio::test]
async fn a_server_that_comes_back_is_found_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let dials = Cell::new(0);
    let mut dial = Reconnector::new(async || {
        dials.set(dials.get() + 1);
        ws_framed::connect(&url).await
    })
    .first_wait(Duration::from_millis(1))
    .longest_wait(Duration::from_millis(5));
    let client = async {
        let mut first = dial.connect().await.unwrap();
        assert_eq!(dials.get(), 3, "once cut off, once refused");
        ask(&mut first, b"here").await;
        let mut rest = Vec::new();
        first.read_to_end(&mut rest).await.unwrap_err();

        let mut second = dial.connect().await.unwrap();
        assert_eq!(dials.get(), 4);
        ask(&mut second, b"anew").await;
        let outcome = second.close_with(CloseFrame::normal()).await.unwrap();
        assert!(matches!(outcome, CloseOutcome::Lost), "{outcome:?}");
    };
    future::join(serve(&listener), client).await;
}

#[tokio::test]
async fn a_url_that_cannot_be_dialled_is_an_error_at_once() {
    let mut dial = Reconnector::new(async || ws_framed::connect("http://localhost").await);
    let error = dial.connect().await.unwrap_err();
    assert!(matches!(error, WsErr::InvalidUrl(_)), "{error:?}");
}

/// A task of a multi-threaded runtime may hold it.
#[tokio::test]
async fn it_can_be_moved_to_a_task() {
    let task = tokio::spawn(async {
        let mut dial = Reconnector::new(async || ws_framed::connect("no URL").await);
        dial.connect().await.map(drop)
    });
    task.await.unwrap().unwrap_err();
}
