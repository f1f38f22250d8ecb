//! What goes out is bounded.

use std::{future::poll_fn, pin::Pin, task::Poll, time::Duration};

use futures::{AsyncWrite, AsyncWriteExt, future::Either, future::select};
use js_sys::{Array, Function, Reflect};
use protocol::{Request, ask, pattern};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use ws_framed::CloseFrame;

use super::{asker, ending, open, own, sleep};

/// A write waits while the browser holds much unsent data.
#[wasm_bindgen_test]
async fn write_waits_for_the_browser() {
    let mut stream = open(&own("watch")).await;
    let chunk = pattern(64 * 1024);
    let mut taken = 0;
    // In one go, so that the browser has no chance to send anything.
    poll_fn(|cx| {
        while let Poll::Ready(written) = Pin::new(&mut stream).poll_write(cx, &chunk) {
            taken += written.unwrap();
        }
        Poll::Ready(())
    })
    .await;
    assert!(taken > 128 * 1024, "{taken} bytes are few");
    assert!(taken < 1024 * 1024, "{taken} bytes are many");
}

/// A server that does not read makes the writer wait, and gets everything later.
#[wasm_bindgen_test]
async fn writer_waits_for_slow_server() {
    let path = own("pause");
    let mut stream = open(&path).await;
    let handle = stream.handle();
    let bytes = pattern(32 * 1024 * 1024);
    let mut write = Box::pin(async {
        stream.write_all(&bytes).await.unwrap();
        stream.close_with(CloseFrame::normal()).await.unwrap()
    });
    // Sockets and the browser hold some megabytes.
    let waited = select(&mut write, Box::pin(sleep(Duration::from_secs(2)))).await;
    assert!(
        matches!(waited, Either::Right(_)),
        "nothing held the writer back"
    );
    let sent = handle.stats().bytes_sent;
    assert!(
        sent < 24 * 1024 * 1024,
        "{sent} bytes were sent without a reader"
    );

    let resume = Request::Resume { path: path.clone() };
    ask(&mut asker().await, resume).await.unwrap();
    write.await;
    let ending = ending(&path).await;
    assert_eq!(ending.received, bytes.len() as u64);
    assert_eq!(ending.clean.map(|(code, _)| code), Some(1000));
}

/// Browsers refuse memory that threads share, which wasm's is where a page has threads.
#[wasm_bindgen_test]
async fn sent_memory_is_not_shared() {
    let watch = "const real = WebSocket.prototype.send, sent = [];
        WebSocket.prototype.send = function (data) { sent.push(data.buffer); return real.call(this, data); };
        return { sent, stop() { WebSocket.prototype.send = real; } };";
    let watch = Function::new_no_args(watch).call0(&JsValue::NULL).unwrap();
    let get = |name: &str| Reflect::get(&watch, &name.into()).unwrap();

    let mut stream = open("/echo").await;
    for len in [1, 1000, 100_000] {
        stream.write_all(&pattern(len)).await.unwrap();
        stream.flush().await.unwrap();
    }
    get("stop")
        .unchecked_into::<Function>()
        .call0(&watch)
        .unwrap();

    let sent: Array = get("sent").unchecked_into();
    assert!(sent.length() >= 3);
    let memory = Reflect::get(&wasm_bindgen::memory(), &"buffer".into()).unwrap();
    assert!(
        sent.iter()
            .all(|buffer| buffer.is_object() && buffer != memory)
    );
}
