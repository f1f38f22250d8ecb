//! How connections end.

use std::{io::ErrorKind, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};
use protocol::LAST_WORDS;
use wasm_bindgen_test::wasm_bindgen_test;
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, ClosedBy, Config, Connector, LossCause, WsErr,
};

use super::{ending, open, own, read_all, url, ws_error};

#[wasm_bindgen_test]
async fn a_server_that_vanishes_is_no_end_of_file() {
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

#[wasm_bindgen_test]
async fn a_server_that_breaks_the_protocol_reads_like_one_that_vanishes() {
    let (bytes, result) = read_all(&mut open("/broken").await).await;
    assert_eq!(bytes, LAST_WORDS);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[wasm_bindgen_test]
async fn close_codes_that_say_that_all_is_well_are_the_end_of_file() {
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

#[wasm_bindgen_test]
async fn our_close_code_arrives_or_one_that_a_browser_may_send_in_its_place() {
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

#[wasm_bindgen_test]
async fn a_stream_that_is_dropped_does_not_look_closed_on_purpose() {
    let path = own("watch");
    let mut stream = open(&path).await;
    stream.write_all(b"da").await.unwrap();
    stream.flush().await.unwrap();
    drop(stream);
    let ending = ending(&path).await;
    assert_eq!(ending.received, 2);
    assert_eq!(ending.clean.map(|(code, _)| code), Some(4906));
}

#[wasm_bindgen_test]
async fn a_server_that_does_not_answer_a_close_is_given_up() {
    let config = Config::default().close_timeout(Duration::from_millis(200));
    let connector = Connector::new().config(config);
    let mut stream = connector.connect(url("/rude")).await.unwrap();
    let outcome = stream.close_with(CloseFrame::normal()).await.unwrap();
    assert_eq!(outcome, CloseOutcome::TimedOut);
}

#[wasm_bindgen_test]
async fn writing_after_the_server_has_closed_is_an_error() {
    let mut stream = open("/close/1000").await;
    let (_, result) = read_all(&mut stream).await;
    result.unwrap();
    let error = stream.write_all(b"late").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

#[wasm_bindgen_test]
async fn writing_without_reading_finds_out_that_the_server_has_closed() {
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
