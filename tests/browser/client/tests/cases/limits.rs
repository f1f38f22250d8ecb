//! What comes in is bounded.

use std::io::ErrorKind;

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt};
use protocol::{MAX_FRAME_LEN, Request};
use wasm_bindgen_test::wasm_bindgen_test;
use ws_framed::{CloseCode, CloseOutcome, Config, Connector, Json, WsErr};

use super::{ending, own, read_all, url, ws_error};

/// More data than the queue holds fails the connection.
#[wasm_bindgen_test]
async fn full_queue_fails_the_connection() {
    let config = Config::default()
        .max_recv_message_len(4096)
        .max_recv_queue_len(64 * 1024);
    let path = own("flood");
    let mut stream = Connector::new()
        .config(config)
        .connect(url(&path))
        .await
        .unwrap();
    let handle = stream.handle();
    // No read is pending until the server has seen the end of it.
    let ending = ending(&path).await;
    assert_eq!(ending.clean.map(|(code, _)| code), Some(4908));

    let (bytes, result) = read_all(&mut stream).await;
    // A message takes 64 bytes more than its length.
    assert_eq!(bytes.len(), 15 * 4096);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(matches!(ws_error(&error), WsErr::Overflow { max: 65_536 }));
    let failed = CloseOutcome::Failed(CloseCode::POLICY_VIOLATION);
    assert_eq!(handle.closed().await, failed);
}

/// A reader that keeps up gets more data than the queue holds.
#[wasm_bindgen_test]
async fn steady_reader_overflows_nothing() {
    let config = Config::default()
        .max_recv_message_len(4096)
        .max_recv_queue_len(64 * 1024);
    let path = own("flood");
    let mut stream = Connector::new()
        .config(config)
        .connect(url(&path))
        .await
        .unwrap();
    let mut bytes = vec![0; 4 * 1024 * 1024];
    stream.read_exact(&mut bytes).await.unwrap();
    assert!(bytes.iter().all(|byte| *byte == 7));
}

/// The same with text, of values that come back one at a time.
#[wasm_bindgen_test]
async fn steady_reader_of_text_overflows_nothing() {
    let config = Config::default()
        .max_recv_message_len(4096)
        .max_recv_queue_len(64 * 1024);
    let connector = Connector::new().config(config);
    let stream = connector.connect(url("/values")).await.unwrap();
    let mut values = stream.per_message(Json::<Request>::new(MAX_FRAME_LEN));
    let value = Request::Sum(vec![i64::MAX; 100]);
    for _ in 0..100 {
        values.send(value.clone()).await.unwrap();
        assert_eq!(values.next().await.unwrap().unwrap(), value);
    }
    values.close().await.unwrap();
}

/// A message over the limit fails the connection.
#[wasm_bindgen_test]
async fn long_message_fails_the_connection() {
    let config = Config::default().max_recv_message_len(4095);
    let path = own("flood");
    let mut stream = Connector::new()
        .config(config)
        .connect(url(&path))
        .await
        .unwrap();
    let (bytes, result) = read_all(&mut stream).await;
    assert!(bytes.is_empty());
    let error = result.unwrap_err();
    let expected = WsErr::MessageTooLarge {
        len: 4096,
        max: 4095,
    };
    assert_eq!(ws_error(&error).to_string(), expected.to_string());
    assert_eq!(ending(&path).await.clean.map(|(code, _)| code), Some(4909));
    let error = stream.write_all(b"more").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}
