//! A subscriber of `tracing` may use the handle of the connection that it hears of.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
};

use futures::{AsyncWriteExt, FutureExt, future};
use support::{pair, poll_until_idle, read_to_end, run};
use tracing::{Event, Metadata, Subscriber, span, subscriber::set_default};
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, ClosedBy, WsHandle,
    pharos::{Observable, ObserveConfig},
};

/// Asks for everything that a handle can be asked for, whenever it hears of anything.
#[derive(Clone, Default)]
struct Meddler {
    handles: Arc<Mutex<Vec<WsHandle>>>,
    heard: Arc<Mutex<Vec<&'static str>>>,
}

impl Meddler {
    fn meddle(&self, heard: &'static str) {
        self.heard.lock().unwrap().push(heard);
        let handles = self.handles.lock().unwrap().clone();
        for mut handle in handles {
            let _ = handle.stats();
            let _ = handle.observe(ObserveConfig::default()).now_or_never();
            let _ = handle.closed().now_or_never();
            let _ = poll_until_idle(pin!(handle.ping()));
            let frame = CloseFrame::new(CloseCode::from(4000), "heard enough").unwrap();
            handle.close(frame).unwrap();
        }
    }
}

impl Subscriber for Meddler {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        self.meddle("new span");
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {
        self.meddle("record");
    }

    fn event(&self, _: &Event<'_>) {
        self.meddle("event");
    }

    fn clone_span(&self, span: &span::Id) -> span::Id {
        self.meddle("clone span");
        span.clone()
    }

    fn try_close(&self, _: span::Id) -> bool {
        self.meddle("try close");
        true
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[test]
fn a_subscriber_may_use_the_handle_of_what_it_hears_of() {
    let meddler = Meddler::default();
    let _listening = set_default(meddler.clone());
    run(async {
        let (mut server, mut client) = pair().await;
        let handle = client.handle();
        meddler.handles.lock().unwrap().push(handle.clone());
        client.write_all(b"hello").await.unwrap();
        // The pong is the first that the subscriber hears of, and then it closes.
        let ends = future::join(read_to_end(&mut server), read_to_end(&mut client));
        let ((_, end), pinged) = future::join(ends, handle.ping()).await;
        end.1.unwrap();
        drop(pinged);
        let by_us = CloseOutcome::Clean {
            code: CloseCode::from(4000),
            reason: "heard enough".to_owned(),
            by: ClosedBy::Us,
        };
        assert_eq!(handle.closed().await, by_us);
        drop((server, client));
    });
    let heard = meddler.heard.lock().unwrap();
    for call in ["new span", "record", "event", "clone span", "try close"] {
        assert!(heard.contains(&call), "{call}: {heard:?}");
    }
}
