//! Feature `tracing`: subscribers that use the handle of the connection that they record.

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

/// A subscriber that calls all methods of its handles in each of its own methods.
#[derive(Clone, Default)]
struct ReentrantSubscriber {
    handles: Arc<Mutex<Vec<WsHandle>>>,
    calls: Arc<Mutex<Vec<&'static str>>>,
}

impl ReentrantSubscriber {
    fn use_handles(&self, call: &'static str) {
        self.calls.lock().unwrap().push(call);
        let handles = self.handles.lock().unwrap().clone();
        for mut handle in handles {
            let _ = handle.stats();
            let _ = handle.observe(ObserveConfig::default()).now_or_never();
            let _ = handle.closed().now_or_never();
            let _ = poll_until_idle(pin!(handle.ping()));
            let frame = CloseFrame::new(CloseCode::from(4000), "recorded enough").unwrap();
            handle.close(frame).unwrap();
        }
    }
}

impl Subscriber for ReentrantSubscriber {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        self.use_handles("new span");
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {
        self.use_handles("record");
    }

    fn event(&self, _: &Event<'_>) {
        self.use_handles("event");
    }

    fn clone_span(&self, span: &span::Id) -> span::Id {
        self.use_handles("clone span");
        span.clone()
    }

    fn try_close(&self, _: span::Id) -> bool {
        self.use_handles("try close");
        true
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// A subscriber may use the handle of a connection inside each of its methods, without a deadlock.
#[test]
fn subscriber_may_use_the_handle() {
    support::keep_callsites_enabled();
    let subscriber = ReentrantSubscriber::default();
    let _guard = set_default(subscriber.clone());
    run(async {
        let (mut server, mut client) = pair().await;
        let handle = client.handle();
        subscriber.handles.lock().unwrap().push(handle.clone());
        client.write_all(b"hello").await.unwrap();
        // The subscriber closes the connection at its first event.
        let ends = future::join(read_to_end(&mut server), read_to_end(&mut client));
        let ((_, end), pinged) = future::join(ends, handle.ping()).await;
        end.1.unwrap();
        drop(pinged);
        let by_us = CloseOutcome::Clean {
            code: CloseCode::from(4000),
            reason: "recorded enough".to_owned(),
            our_code: Some(CloseCode::from(4000)),
            by: ClosedBy::Us,
        };
        assert_eq!(handle.closed().await, by_us);
        drop((server, client));
    });
    let calls = subscriber.calls.lock().unwrap();
    for call in ["new span", "record", "event", "clone span", "try close"] {
        assert!(calls.contains(&call), "{call}: {calls:?}");
    }
}
