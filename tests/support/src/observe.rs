//! What a test looks at: data to the end, errors, events.

use std::{fmt, io, pin::pin};

use futures::{
    AsyncReadExt, FutureExt, StreamExt,
    future::{self, Either},
};
use ws_framed::{
    WsErr, WsEvent, WsStream,
    pharos::{Events, Observable, ObserveConfig},
};

/// Reads to the end, and checks that it stays the end: the bytes, and how they ended.
pub async fn read_to_end(ours: &mut WsStream) -> (Vec<u8>, io::Result<()>) {
    let mut data = Vec::new();
    let end = ours.read_to_end(&mut data).await.map(drop);
    for _ in 0..3 {
        let again = ours.read(&mut [0; 8]).await;
        assert_eq!(again.expect("an error comes once"), 0, "after the end");
    }
    (data, end)
}

/// The error of the library inside one of `std`.
pub fn ws_error(error: &io::Error) -> &WsErr {
    WsErr::find_in(error).expect("a WsErr is inside")
}

/// The output of `script`, while a read of ours waits for data that must not come.
pub async fn while_reading<T>(ours: &mut WsStream, script: impl Future<Output = T>) -> T {
    let mut buf = [0; 64];
    let script = pin!(script);
    match future::select(ours.read(&mut buf), script).await {
        Either::Left((read, _)) => panic!("a read was to find nothing, and gave {read:?}"),
        Either::Right((output, _)) => output,
    }
}

/// Observes all events.
pub async fn observe(ours: &mut impl Observable<WsEvent, Error = WsErr>) -> Events<WsEvent> {
    ours.observe(ObserveConfig::default()).await.unwrap()
}

/// The events that are there, as words: what each is and what it holds.
pub fn describe(events: &mut Events<WsEvent>) -> Vec<String> {
    std::iter::from_fn(|| events.next().now_or_never().flatten())
        .map(|event| match event {
            WsEvent::Ping(payload) => format!("ping {}", Lossy(&payload)),
            WsEvent::Pong(payload) => format!("pong {}", Lossy(&payload)),
            WsEvent::Text(text) => format!("text {text}"),
            WsEvent::CloseFrame(frame) => {
                format!("close {}", frame.map_or(1005, |frame| frame.code().into()))
            }
            WsEvent::Error(error) => format!("error {:?}", error.kind()),
            WsEvent::Lagged(missed) => format!("lagged {missed}"),
            WsEvent::Closed => "closed".to_owned(),
            other => panic!("{other:?} is new"),
        })
        .collect()
}

struct Lossy<'a>(&'a [u8]);

impl fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.0))
    }
}
