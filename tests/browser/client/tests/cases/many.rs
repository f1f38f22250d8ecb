//! Many connections, and what they leave behind: nothing.

use futures::{AsyncReadExt, AsyncWriteExt, future::join_all};
use js_sys::{Function, Reflect, WebAssembly};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{console_log, wasm_bindgen_test};
use ws_framed::{CloseFrame, CloseOutcome};

use super::{endings, open, own};

#[wasm_bindgen_test]
async fn connections_that_are_dropped_are_closed() {
    let path = own("watch");
    for _ in 0..25 {
        join_all((0..4).map(|_| open(&path))).await;
    }
    let endings = endings(&path, 100).await;
    assert!(
        endings.iter().all(|ending| ending.clean.is_some()),
        "{endings:?}"
    );
}

async fn talk_and_close() {
    let mut stream = open("/echo").await;
    stream.write_all(&[1; 1000]).await.unwrap();
    stream.read_exact(&mut [0; 1000]).await.unwrap();
    let outcome = stream.close_with(CloseFrame::normal()).await.unwrap();
    assert!(matches!(outcome, CloseOutcome::Clean { .. }), "{outcome:?}");
}

/// A few at a time: browsers put off connections when many are being opened.
async fn use_connections(count: usize) {
    for _ in 0..count / 4 {
        join_all((0..4).map(|_| talk_and_close())).await;
    }
}

/// A thousand connections leave no memory behind, in wasm and in JavaScript.
#[wasm_bindgen_test]
async fn closed_connections_free_their_memory() {
    use_connections(100).await;
    let before = (wasm_pages(), js_heap());
    use_connections(1000).await;
    let after = (wasm_pages(), js_heap());
    console_log!("wasm pages and bytes of JavaScript before: {before:?}, after: {after:?}");
    assert_eq!(before.0, after.0, "wasm memory has grown");
    if let (Some(before), Some(after)) = (before.1, after.1) {
        let grown = after - before;
        assert!(
            grown < 256.0 * 1024.0,
            "JavaScript's heap has grown by {grown} bytes"
        );
    }
}

/// The memory of this module, in pages of 64 KiB.
fn wasm_pages() -> u32 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: js_sys::ArrayBuffer = memory.buffer().unchecked_into();
    buffer.byte_length() / 65_536
}

/// Bytes of JavaScript's heap in use, where the browser lets one collect the garbage and look.
fn js_heap() -> Option<f64> {
    let global = js_sys::global();
    let get = |object: &JsValue, name: &str| Reflect::get(object, &name.into()).ok();
    let collect: Function = get(&global, "gc")?.dyn_into().ok()?;
    for _ in 0..3 {
        collect.call0(&JsValue::NULL).ok()?;
    }
    let memory = get(&get(&global, "performance")?, "memory")?;
    get(&memory, "usedJSHeapSize")?.as_f64()
}
