//! The `online` event of a page or a worker: the network is back, so a wait is of no use.

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::EventTarget;

use super::handle::ReconnectHandle;

/// Ends the waits of a reconnector when the browser is online again.
pub(super) struct Online {
    target: EventTarget,
    retry: Closure<dyn FnMut()>,
}

impl Online {
    /// `None` in an environment without events.
    pub(super) fn listen(handle: ReconnectHandle) -> Option<Self> {
        let target: EventTarget = js_sys::global().dyn_into().ok()?;
        let retry = Closure::<dyn FnMut()>::new(move || handle.retry_now());
        let listener = retry.as_ref().unchecked_ref();
        target
            .add_event_listener_with_callback("online", listener)
            .ok()?;
        Some(Self { target, retry })
    }
}

impl Drop for Online {
    fn drop(&mut self) {
        let listener = self.retry.as_ref().unchecked_ref();
        let _ = self
            .target
            .remove_event_listener_with_callback("online", listener);
    }
}
