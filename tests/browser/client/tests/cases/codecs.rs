//! Every codec, there and back.

use bytes::Bytes;
use futures::{SinkExt, TryStreamExt};
use protocol::{MAX_FRAME_LEN, Request, pattern};
use wasm_bindgen_test::wasm_bindgen_test;
use ws_framed::{
    Bincode, CloseFrame, CloseOutcome, CodecError, Decoder, Encoder, Json, LengthDelimited, Lines,
    Postcard, WsFramed,
};

use super::open;

async fn round_trip<C, T>(path: &str, codec: C, items: Vec<T>)
where
    C: Decoder<Item = T, Error = CodecError> + for<'a> Encoder<Item<'a> = T, Error = CodecError>,
    T: Clone + std::fmt::Debug + PartialEq,
{
    there_and_back(open(path).await.framed(codec), items).await;
}

async fn there_and_back<C, T>(mut framed: WsFramed<T, C>, items: Vec<T>)
where
    C: Decoder<Item = T, Error = CodecError> + for<'a> Encoder<Item<'a> = T, Error = CodecError>,
    T: Clone + std::fmt::Debug + PartialEq,
{
    for item in items.clone() {
        framed.feed(item).await.unwrap();
    }
    let mut back = Vec::new();
    while back.len() < items.len() {
        back.push(framed.try_next().await.unwrap().unwrap());
    }
    assert_eq!(back, items);
    let outcome = framed.close_with(CloseFrame::normal()).await.unwrap();
    assert!(matches!(outcome, CloseOutcome::Clean { .. }), "{outcome:?}");
}

fn requests() -> Vec<Request> {
    let path = "/échø".to_owned();
    vec![
        Request::Sum((-1000..1000).collect()),
        Request::Sum(Vec::new()),
        Request::Endings { path, count: 7 },
        Request::Sum(vec![i64::MIN; 50_000]),
    ]
}

#[wasm_bindgen_test]
async fn bincode() {
    round_trip(
        "/bincode",
        Bincode::<Request, Request>::new(MAX_FRAME_LEN),
        requests(),
    )
    .await;
}

#[wasm_bindgen_test]
async fn postcard() {
    round_trip(
        "/postcard",
        Postcard::<Request, Request>::new(MAX_FRAME_LEN),
        requests(),
    )
    .await;
}

#[wasm_bindgen_test]
async fn length_delimited() {
    let items = [0, 1, 65_535, 65_536, MAX_FRAME_LEN].map(|len| Bytes::from(pattern(len)));
    round_trip(
        "/length",
        LengthDelimited::new(MAX_FRAME_LEN),
        items.to_vec(),
    )
    .await;
}

#[wasm_bindgen_test]
async fn lines() {
    let items = ["", "one", "zwei, größer", &"x".repeat(MAX_FRAME_LEN)].map(str::to_owned);
    round_trip("/lines", Lines::new(MAX_FRAME_LEN), items.to_vec()).await;
}

/// Text both ways, a message for each value.
#[wasm_bindgen_test]
async fn json_in_messages() {
    let framed = open("/values").await;
    let framed = framed.per_message(Json::<Request>::new(MAX_FRAME_LEN));
    let handle = framed.handle();
    let mut items = requests();
    items.pop();
    there_and_back(framed, items.clone()).await;
    let stats = handle.stats();
    assert_eq!(stats.messages_sent, items.len() as u64);
    assert_eq!(stats.messages_received, items.len() as u64);
}

/// An empty one, too.
#[wasm_bindgen_test]
async fn bytes_in_messages() {
    let framed = open("/messages").await;
    let framed = framed.per_message(LengthDelimited::new(MAX_FRAME_LEN));
    let items = [0, 1, 65_535, 0, 65_536].map(|len| Bytes::from(pattern(len)));
    there_and_back(framed, items.to_vec()).await;
}
