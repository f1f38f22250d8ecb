//! What happens on a link besides its data.

use std::sync::Arc;

use bytes::Bytes;

use crate::{close::CloseFrame, error::WsErr};

/// Something that happened on a link and that the byte view and the item view cannot show.
///
/// Observe with [`Observable::observe`](pharos::Observable::observe) on a view or on the
/// [`WsHandle`](crate::WsHandle). Events come from polling: when nobody reads, none arise. Observing begins
/// with the call, before the future that it gives is polled, and ends when that or its events are dropped.
///
/// A slow observer stalls nobody. Its queue holds at most 128 events, and takes no further text while
/// 256 KiB of texts that it was given are still held by anybody. What it misses is counted, and told
/// with [`Lagged`](Self::Lagged) before the next event that there is room for, at the latest before [`Closed`](Self::Closed).
/// One whose queue is still full when the view is dropped gets what is in it, and neither of the two.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WsEvent {
    /// The peer sent a ping. It is answered without your doing.
    Ping(Bytes),
    /// The peer sent a pong, asked for or not.
    Pong(Bytes),
    /// A text message under [`TextPolicy::Event`](crate::TextPolicy::Event).
    Text(Arc<str>),
    /// The peer sent a close frame, with a code and reason or empty. A code that RFC 6455 does not allow
    /// on the wire comes as 1002 from `async-tungstenite`, unless it answers our own close.
    CloseFrame(Option<CloseFrame>),
    /// The link failed. The same error comes in band, once; where it is the codec that could not go on, that is the
    /// codec's own. A peer that closes because something went wrong is a [`CloseFrame`](Self::CloseFrame) instead.
    Error(Arc<WsErr>),
    /// This observer was too slow and missed this many events.
    ///
    /// The count includes events that the observer's filter would have dropped. The filter is asked about `Lagged` as
    /// about any other event: one that does not admit it hides what was missed.
    Lagged(u64),
    /// The link has ended. Always the last event, and once.
    Closed,
}
