//! What happens on a connection besides its data.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{Stream, ready, stream::FusedStream};

use crate::{close::CloseFrame, error::WsErr};

/// Something that happened on a connection, and that is not a part of its data.
///
/// [`WsHandle::events`](crate::WsHandle::events), or the method of the same name of a stream,
/// returns them. Events are a result of polling: while no task reads, there are none.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WsEvent {
    /// The peer sent a ping. The connection replies to it.
    Ping(Bytes),
    /// The peer sent a pong, in reply to a ping or not.
    Pong(Bytes),
    /// A text message under [`TextPolicy::Event`](crate::TextPolicy::Event).
    Text(Arc<str>),
    /// The peer sent a close frame, with a code and a reason, or empty. `async-tungstenite`
    /// replaces a code that RFC 6455 section 7.4 does not allow by 1002, unless it replies to a
    /// close of this endpoint.
    CloseFrame(Option<CloseFrame>),
    /// The connection failed. A reader gets the same error once, in band, or the codec's own if the
    /// codec could not continue. A peer that closes with a code that reports a failure is a
    /// [`CloseFrame`](Self::CloseFrame) instead.
    Error(Arc<WsErr>),
    /// This observer was too slow and missed this many events.
    ///
    /// Where an observer of `pharos` has a filter, the count includes events that the filter would
    /// have dropped, and the filter decides about `Lagged` too.
    Lagged(u64),
    /// The connection has ended. This is the last event, and comes once. It is missing only for an
    /// observer whose queue is full when the stream is dropped.
    Closed,
}

/// The events of a connection, from [`WsHandle::events`](crate::WsHandle::events).
///
/// A slow observer delays nothing. Its queue holds at most 128 events. While the observer keeps 256
/// KiB of texts alive, or 128 texts, in the queue or taken out of it, it gets no more texts. The
/// number of missed events is delivered as [`WsEvent::Lagged`] before the next event for which there
/// is room, at the latest before [`WsEvent::Closed`]. If the queue is full when the [`WsStream`](crate::WsStream)
/// is dropped, the events end without `Lagged` and `Closed`.
///
/// Dropping it ends the observation. [`pharos::Observable`] does the same with a filter.
///
/// ```
/// use futures::StreamExt;
/// use ws_framed::{WsEvent, WsHandle};
///
/// async fn log(handle: WsHandle) {
///     let mut events = handle.events();
///     while let Some(event) = events.next().await {
///         match event {
///             WsEvent::Ping(_) => println!("ping"),
///             WsEvent::Lagged(missed) => println!("missed {missed} events"),
///             other => println!("{other:?}"),
///         }
///     }
/// }
/// ```
///
/// # Cancel safety
/// Polling it, and dropping a future of it, loses no event.
#[derive(Debug)]
#[must_use = "dropping it ends the observation"]
pub struct WsEvents(Option<pharos::Events<WsEvent>>);

impl WsEvents {
    pub(crate) fn new(events: Option<pharos::Events<WsEvent>>) -> Self {
        Self(events)
    }
}

impl Stream for WsEvents {
    type Item = WsEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<WsEvent>> {
        let Some(events) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let event = ready!(Pin::new(events).poll_next(cx));
        if event.is_none() {
            self.0 = None;
        }
        Poll::Ready(event)
    }
}

impl FusedStream for WsEvents {
    fn is_terminated(&self) -> bool {
        self.0.is_none()
    }
}
