//! A check that a transport which wraps another one forwards every method (tests only).

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bytes::BytesMut;

use super::{MessageTransport, Progress, Properties};
use crate::{
    error::WsErr,
    message::{Message, SharedBytes, SharedMessage},
};

type Calls = Arc<Mutex<BTreeSet<&'static str>>>;

/// A transport that notes which of its methods are called.
pub(crate) struct Noted(Calls);

impl Noted {
    fn note(&self, method: &'static str) {
        self.0.lock().unwrap().insert(method);
    }
}

impl MessageTransport for Noted {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        self.note("poll_next");
        Poll::Pending
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.note("poll_ready");
        Poll::Ready(Ok(()))
    }

    fn start_send(&mut self, _: Message) -> Result<(), WsErr> {
        self.note("start_send");
        Ok(())
    }

    fn start_send_shared(&mut self, _: SharedMessage) -> Result<(), WsErr> {
        self.note("start_send_shared");
        Ok(())
    }

    fn start_send_buffer(
        &mut self,
        _: &mut Context<'_>,
        _: &mut BytesMut,
        _: usize,
    ) -> Result<(), WsErr> {
        self.note("start_send_buffer");
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.note("poll_flush");
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.note("poll_close");
        Poll::Ready(Ok(()))
    }

    fn poll_send_slice(&mut self, _: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, WsErr>> {
        self.note("poll_send_slice");
        Poll::Ready(Ok(data.len()))
    }

    fn provide_buffer(&mut self, _: BytesMut) {
        self.note("provide_buffer");
    }

    fn progress(&self) -> Progress {
        self.note("progress");
        Progress::default()
    }

    fn properties(&self) -> Properties {
        self.note("properties");
        Properties::default()
    }
}

/// The methods of the trait, from its source, so that a new one is not missed.
fn methods_of_the_trait() -> BTreeSet<&'static str> {
    let (_, rest) = include_str!("mod.rs")
        .split_once("pub trait MessageTransport {")
        .unwrap();
    let (body, _) = rest.split_once("\n}\n").unwrap();
    let signatures = body.lines().filter_map(|line| line.strip_prefix("    fn "));
    let names = signatures.filter_map(|signature| signature.split_once('('));
    names.map(|(name, _)| name).collect()
}

/// Calls each method of a wrapper, which has to call the same method of what it wraps, and no
/// other.
pub(crate) fn assert_forwards<M: MessageTransport>(wrap: impl Fn(Noted) -> M) {
    let cx = &mut Context::from_waker(Waker::noop());
    let methods = methods_of_the_trait();
    assert!(methods.len() >= 10, "{methods:?}");
    for method in methods {
        let calls = Calls::default();
        let mut wrapper = wrap(Noted(Arc::clone(&calls)));
        calls.lock().unwrap().clear();
        match method {
            "poll_next" => drop(wrapper.poll_next(cx)),
            "poll_ready" => drop(wrapper.poll_ready(cx)),
            "start_send" => wrapper.start_send(Message::Text(String::new())).unwrap(),
            "start_send_shared" => {
                let message = SharedMessage::new(SharedBytes::default(), false);
                wrapper.start_send_shared(message).unwrap();
            }
            "start_send_buffer" => {
                wrapper
                    .start_send_buffer(cx, &mut BytesMut::new(), 0)
                    .unwrap();
            }
            "poll_flush" => drop(wrapper.poll_flush(cx)),
            "poll_close" => drop(wrapper.poll_close(cx)),
            "poll_send_slice" => drop(wrapper.poll_send_slice(cx, b"data")),
            "provide_buffer" => wrapper.provide_buffer(BytesMut::new()),
            "progress" => drop(wrapper.progress()),
            "properties" => drop(wrapper.properties()),
            other => panic!("a new method to call here: {other}"),
        }
        assert_eq!(*calls.lock().unwrap(), BTreeSet::from([method]));
    }
}
