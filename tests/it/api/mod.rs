//! The types of the public interface: what the compiler accepts, what `Debug` shows, and how errors
//! pass through `io::Error`.

mod diagnostics;
mod errors;
mod spawning;
mod types;

use std::{
    cell::Cell,
    rc::Rc,
    task::{Context, Poll},
};

use ws_framed::{Message, MessageTransport, WsErr};

/// A value that may not leave its thread.
#[expect(dead_code, reason = "for its type")]
struct Local(Rc<Cell<u8>>);

/// A transport that receives nothing and takes everything.
#[derive(Debug)]
struct Silent;

impl MessageTransport for Silent {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        Poll::Pending
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(&mut self, _: Message) -> Result<(), WsErr> {
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }
}
