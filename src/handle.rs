//! `WsHandle`: a cloneable handle to a connection.

use std::{sync::Arc, time::Duration};

use pharos::{Observable, Observe, ObserveConfig};

use crate::{
    close::{CloseFrame, CloseOutcome},
    connection::Shared,
    error::WsErr,
    event::{WsEvent, WsEvents},
    stats::Stats,
};

/// A cloneable handle to a connection, from [`WsStream::handle`](crate::WsStream::handle),
/// [`WsFramed::handle`](crate::WsFramed::handle) or
/// [`WsMessages::handle`](crate::WsMessages::handle). It outlives `split`, `framed` and the way
/// back.
///
/// Requests take effect when the stream is polled: while no task reads or writes, nothing happens.
///
/// ```
/// use ws_framed::{CloseFrame, WsErr, WsHandle};
///
/// /// Closes a connection that another task reads, and waits for its end.
/// async fn stop(handle: WsHandle) -> Result<(), WsErr> {
///     println!("round trip: {:?}", handle.ping().await?);
///     handle.close(CloseFrame::normal())?;
///     println!("{}, {} bytes received", handle.closed().await, handle.stats().bytes_received);
///     Ok(())
/// }
/// ```
///
/// # Cancel safety
/// A future of a handle may be dropped at any point: a ping may still be sent, and its pong is then
/// counted and ignored.
#[derive(Clone, Debug)]
pub struct WsHandle {
    shared: Arc<Shared>,
}

impl WsHandle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Sends a ping and waits for its pong. Returns the time from when the transport took the ping
    /// until the pong was read.
    ///
    /// # Errors
    /// [`WsErr::TimedOut`] after [`ping_timeout`](crate::Config::ping_timeout) without progress,
    /// also if no task reads; [`WsErr::Closed`] when the connection closes, ends or is dropped;
    /// [`WsErr::Unsupported`] where the transport cannot send pings (a browser).
    pub async fn ping(&self) -> Result<Duration, WsErr> {
        self.shared.ping().await
    }

    /// Closes the connection: what was written is flushed, then the close frame is sent, and
    /// reading goes on until the peer's close frame. The first close counts; a connection that is
    /// closing or has ended stays as it is.
    ///
    /// A flush that waits for the peer fails once the peer has taken nothing for
    /// [`close_timeout`](crate::Config::close_timeout).
    ///
    /// It does not wait: [`closed`](Self::closed) does.
    ///
    /// # Errors
    /// [`WsErr::InvalidCloseCode`] if `frame` was received from a peer and may not be sent.
    pub fn close(&self, frame: CloseFrame) -> Result<(), WsErr> {
        if !frame.code().is_sendable() {
            return Err(WsErr::InvalidCloseCode(frame.code()));
        }
        self.shared.close(frame);
        Ok(())
    }

    /// What the connection has carried so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// The events of the connection from now on. The stream ends after [`WsEvent::Closed`].
    pub fn events(&self) -> WsEvents {
        self.shared.events()
    }

    /// Waits until the connection has ended, and returns how. If the stream is dropped before that,
    /// [`CloseOutcome::Lost`] with [`LossCause::Dropped`](crate::LossCause::Dropped).
    pub async fn closed(&self) -> CloseOutcome {
        self.shared.closed().await
    }
}

impl Observable<WsEvent> for WsHandle {
    type Error = WsErr;

    fn observe(&mut self, options: ObserveConfig<WsEvent>) -> Observe<'_, WsEvent, WsErr> {
        self.shared.observe(options)
    }
}
