//! Text, under each policy.

use futures::{AsyncReadExt, StreamExt};
use protocol::TEXT;
use wasm_bindgen_test::wasm_bindgen_test;
use ws_framed::{
    CloseFrame, Config, Connector, TextPolicy, WsErr, WsEvent, WsStream,
    pharos::{Observable, ObserveConfig},
};

use super::{ending, own, read_all, url, ws_error};

async fn open_with(path: &str, policy: TextPolicy) -> WsStream {
    let connector = Connector::new().config(Config::default().text(policy));
    connector.connect(url(path)).await.unwrap()
}

/// Text is an error where it is rejected, and the close code tells the server why.
#[wasm_bindgen_test]
async fn rejected_text_closes_with_4903() {
    let path = own("text");
    let mut stream = open_with(&path, TextPolicy::Reject).await;
    let (bytes, result) = read_all(&mut stream).await;
    assert_eq!(bytes, b"<");
    assert!(matches!(
        ws_error(&result.unwrap_err()),
        WsErr::ReceivedText
    ));
    assert_eq!(ending(&path).await.clean.map(|(code, _)| code), Some(4903));
}

#[wasm_bindgen_test]
async fn text_is_data() {
    let path = own("text");
    let mut stream = open_with(&path, TextPolicy::Bytes).await;
    let expected = format!("<{TEXT}>");
    let mut bytes = vec![0; expected.len()];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, expected.as_bytes());
    stream.close_with(CloseFrame::normal()).await.unwrap();
}

#[wasm_bindgen_test]
async fn text_is_an_event() {
    let path = own("text");
    let mut stream = open_with(&path, TextPolicy::Event).await;
    let options = ObserveConfig::default();
    let mut events = stream.observe(options).await.unwrap();
    let mut bytes = [0; 2];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"<>");
    match events.next().await {
        Some(WsEvent::Text(text)) => assert_eq!(&*text, TEXT),
        other => panic!("{other:?}"),
    }
    stream.close_with(CloseFrame::normal()).await.unwrap();
}
