//! A transport that hands messages over in memory, so that what is counted is the library's.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use ws_framed::{Message, MessageTransport, WsErr};

#[derive(Default)]
struct Direction {
    messages: VecDeque<Message>,
    reader: Option<Waker>,
}

/// One end.
pub(crate) struct Pipe {
    inbound: Arc<Mutex<Direction>>,
    outbound: Arc<Mutex<Direction>>,
}

pub(crate) fn pair() -> (Pipe, Pipe) {
    let (a, b) = <(Arc<Mutex<Direction>>, Arc<Mutex<Direction>>)>::default();
    let client = Pipe {
        inbound: Arc::clone(&a),
        outbound: Arc::clone(&b),
    };
    let server = Pipe {
        inbound: b,
        outbound: a,
    };
    (client, server)
}

impl MessageTransport for Pipe {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        let mut inbound = self.inbound.lock().unwrap();
        let next = inbound.messages.pop_front();
        if next.is_none() {
            inbound.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(next.map(Ok))
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        let mut outbound = self.outbound.lock().unwrap();
        outbound.messages.push_back(message);
        if let Some(reader) = outbound.reader.take() {
            reader.wake();
        }
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }
}
