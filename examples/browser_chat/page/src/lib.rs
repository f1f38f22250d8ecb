//! The chat in the browser. `visit.rs` talks to the server, `ui.rs` to the page.
#![cfg(target_arch = "wasm32")]

mod ui;
mod visit;

use futures::channel::mpsc;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use crate::ui::Ui;

#[wasm_bindgen(start)]
fn start() {
    let ui = Ui::new();
    let (say, said) = mpsc::unbounded();
    ui.on_say(move |text| drop(say.unbounded_send(text)));
    let (join, mut joined) = mpsc::unbounded();
    ui.on_join(move |name| drop(join.unbounded_send(name)));
    spawn_local(async move {
        if let Ok(name) = joined.recv().await {
            visit::come_and_stay(ui, name, said).await;
        }
    });
}
