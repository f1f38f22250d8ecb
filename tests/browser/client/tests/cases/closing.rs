//! How connections end.

use std::{io::ErrorKind, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};
use protocol::LAST_WORDS;
use wasm_bindgen_test::wasm_bindgen_test;
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, ClosedBy, Config, Connector, LossCause, WsErr,
};

use super::{ending, open, own, read_all, url, ws_error};

/// An end without a close frame is an error, once, after the data before it.
#[wasm_bindgen_test]
async fn lost_server_is_unexpected_eof() {
    let mut stream = open("/vanish").await;
    let handle = stream.handle();
    let (bytes, result) = read_all(&mut stream).await;
    assert_eq!(bytes, LAST_WORDS);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert!(matches!(ws_error(&error), WsErr::UnexpectedEof));
    assert_eq!(
        handle.closed().await,
        CloseOutcome::Lost(LossCause::UnexpectedEof)
    );
    assert_eq!(
        stream.read(&mut [0]).await.unwrap(),
        0,
        "the error comes once"
    );
}

/// A violation by the server reads like an end without a close frame.
#[wasm_bindgen_test]
async fn violation_is_unexpected_eof() {
    let (bytes, result) = read_all(&mut open("/broken").await).await;
    assert_eq!(bytes, LAST_WORDS);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

/// Close codes that report no failure are the end of the file.
#[wasm_bindgen_test]
async fn normal_close_codes_are_eof() {
    for code in [0, 1000, 1001, 3000, 4000, 4999] {
        let mut stream = open(&format!("/close/{code}")).await;
        let handle = stream.handle();
        let (bytes, result) = read_all(&mut stream).await;
        assert_eq!(bytes, LAST_WORDS);
        assert!(result.is_ok(), "{code}: {result:?}");
        let (code, reason) = match code {
            0 => (CloseCode::NO_STATUS_RECEIVED, ""),
            code => (CloseCode::from(code), "because"),
        };
        let (reason, by) = (reason.to_owned(), ClosedBy::Peer);
        assert_eq!(
            handle.closed().await,
            CloseOutcome::Clean {
                code,
                reason,
                our_code: Some(code),
                by
            }
        );
    }
}

#[wasm_bindgen_test]
async fn other_close_codes_are_errors() {
    for code in [1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013] {
        let (bytes, result) = read_all(&mut open(&format!("/close/{code}")).await).await;
        assert_eq!(bytes, LAST_WORDS);
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
        match ws_error(&error) {
            WsErr::Aborted(frame) => {
                assert_eq!(frame.code(), CloseCode::from(code));
                assert_eq!(frame.reason(), "because");
            }
            other => panic!("{code}: {other:?}"),
        }
    }
}

/// Our close code arrives, or the one that a browser may send in its place.
#[wasm_bindgen_test]
async fn close_codes_reach_the_server() {
    let codes = [
        (1000, 1000),
        (3000, 3000),
        (4999, 4999),
        (1001, 4901),
        (1011, 4911),
    ];
    for (code, on_the_wire) in codes {
        let path = own("watch");
        let mut stream = open(&path).await;
        stream.write_all(b"data").await.unwrap();
        let frame = CloseFrame::new(CloseCode::from(code), "grüße").unwrap();
        let outcome = stream.close_with(frame).await.unwrap();
        let CloseOutcome::Clean {
            by: ClosedBy::Us, ..
        } = outcome
        else {
            panic!("{code}: {outcome:?}");
        };
        let ending = ending(&path).await;
        assert_eq!(ending.clean, Some((on_the_wire, "grüße".to_owned())));
        assert_eq!(ending.received, 4, "what was written came before the close");
    }
}

/// The server does not take a dropped stream for a normal closure.
#[wasm_bindgen_test]
async fn dropped_stream_reports_4906() {
    let path = own("watch");
    let mut stream = open(&path).await;
    stream.write_all(b"da").await.unwrap();
    stream.flush().await.unwrap();
    drop(stream);
    let ending = ending(&path).await;
    assert_eq!(ending.received, 2);
    assert_eq!(ending.clean.map(|(code, _)| code), Some(4906));
}

/// A close that the server does not reply to ends after `close_timeout`.
#[wasm_bindgen_test]
async fn close_without_reply_times_out() {
    let config = Config::default().close_timeout(Duration::from_millis(200));
    let connector = Connector::new().config(config);
    let mut stream = connector.connect(url("/rude")).await.unwrap();
    let outcome = stream.close_with(CloseFrame::normal()).await.unwrap();
    assert_eq!(outcome, CloseOutcome::TimedOut);
}

/// A write after the close of the server is an error.
#[wasm_bindgen_test]
async fn late_write_is_broken_pipe() {
    let mut stream = open("/close/1000").await;
    let (_, result) = read_all(&mut stream).await;
    result.unwrap();
    let error = stream.write_all(b"late").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

/// A writer without a reader notices the close of the server, and data before it can be read.
#[wasm_bindgen_test]
async fn lone_writer_notices_the_close() {
    let mut stream = open("/close/1000").await;
    let error = loop {
        let written = async {
            stream.write_all(b"into the void").await?;
            stream.flush().await
        };
        match written.await {
            Ok(()) => super::sleep(Duration::from_millis(5)).await,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    // What came before is still there.
    let (bytes, _) = read_all(&mut stream).await;
    assert_eq!(bytes, LAST_WORDS);
}
