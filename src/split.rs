//! Owned halves of a stream, for two tasks.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use futures::{Sink, Stream, stream::FusedStream};

/// One of two owners of a value.
///
/// A mutex, not a lock that a task waits for: `start_send` has no way to wait, and a poll holds the
/// lock for a bounded time.
pub(crate) struct Half<V>(Arc<Mutex<V>>);

impl<V> Half<V> {
    pub(crate) fn pair(value: V) -> (Self, Self) {
        let shared = Arc::new(Mutex::new(value));
        (Self(Arc::clone(&shared)), Self(shared))
    }

    /// A panic under the lock, in a codec of the caller, leaves the connection as it was.
    pub(crate) fn lock(&self) -> MutexGuard<'_, V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value, from both of its halves.
    ///
    /// # Errors
    /// Both halves, if they belong to different values.
    pub(crate) fn join(self, other: Self) -> Result<V, (Self, Self)> {
        if !Arc::ptr_eq(&self.0, &other.0) {
            return Err((self, other));
        }
        drop(other);
        match Arc::try_unwrap(self.0) {
            Ok(value) => Ok(value.into_inner().unwrap_or_else(PoisonError::into_inner)),
            Err(shared) => Err((Self(Arc::clone(&shared)), Self(shared))),
        }
    }
}

/// The sending half of a [`WsFramed`](crate::WsFramed) or [`WsMessages`](crate::WsMessages), from
/// `into_split`. `V` is the type of the whole: `WsSender<WsFramed<Chat>>` is a name for a struct
/// field.
///
/// It is a `Sink` of the same items as `V`, and sends them as `V` does: at the latest on a flush,
/// and before the receiving half waits.
///
/// # Two tasks
/// The halves share the connection by a lock, which each poll takes once and does not hold while
/// the task waits. Under the lock, a poll does the I/O that is ready, and decodes or encodes at
/// most one item. Meanwhile, a poll of the other half on another thread is blocked.
///
/// An uncontended lock costs one atomic operation to take and one to release. A half that waits
/// does not delay the other, and each is woken for its own direction.
///
/// Dropping one half leaves the connection open for the other. Dropping both drops the connection.
///
/// ```
/// use futures::StreamExt;
/// use ws_framed::{CloseFrame, CodecError, Lines, WsFramed, WsReceiver, WsSender};
///
/// type Chat = WsFramed<String, Lines>;
///
/// async fn say(mut sender: WsSender<Chat>) -> Result<(), CodecError> {
///     sender.send_ref("hello").await?;
///     println!("{}", sender.close_with(CloseFrame::normal()).await?);
///     Ok(())
/// }
///
/// async fn listen(mut receiver: WsReceiver<Chat>) {
///     while let Some(Ok(line)) = receiver.next().await {
///         println!("{line}");
///     }
/// }
/// ```
pub struct WsSender<V>(Half<V>);

/// The receiving half of a [`WsFramed`](crate::WsFramed) or [`WsMessages`](crate::WsMessages), from
/// `into_split`: a `Stream`. See [`WsSender`] for two tasks.
///
/// Reads drive replies, timers and the closing handshake. So keep this half polled, even if no item
/// is expected.
pub struct WsReceiver<V>(Half<V>);

pub(crate) fn split<V>(whole: V) -> (WsSender<V>, WsReceiver<V>) {
    let (sender, receiver) = Half::pair(whole);
    (WsSender(sender), WsReceiver(receiver))
}

impl<V> WsSender<V> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, V> {
        self.0.lock()
    }

    /// Joins both halves, without loss.
    ///
    /// # Errors
    /// Both halves, if they belong to different connections.
    pub fn reunite(self, receiver: WsReceiver<V>) -> Result<V, ReuniteError<Self, WsReceiver<V>>> {
        self.0
            .join(receiver.0)
            .map_err(|(sender, receiver)| ReuniteError(Self(sender), WsReceiver(receiver)))
    }
}

impl<V> WsReceiver<V> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, V> {
        self.0.lock()
    }

    /// Joins both halves, see [`WsSender::reunite`].
    ///
    /// # Errors
    /// Both halves, if they belong to different connections.
    pub fn reunite(self, sender: WsSender<V>) -> Result<V, ReuniteError<WsSender<V>, Self>> {
        sender.reunite(self)
    }
}

impl<I, V: Sink<I> + Unpin> Sink<I> for WsSender<V> {
    type Error = V::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), V::Error>> {
        Pin::new(&mut *self.lock()).poll_ready(cx)
    }

    fn start_send(self: Pin<&mut Self>, item: I) -> Result<(), V::Error> {
        Pin::new(&mut *self.lock()).start_send(item)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), V::Error>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    /// Flushes, sends a close frame with code 1000, and is ready when that is flushed. The
    /// receiving half can be read until the end.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), V::Error>> {
        Pin::new(&mut *self.lock()).poll_close(cx)
    }
}

impl<V: Stream + Unpin> Stream for WsReceiver<V> {
    type Item = V::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<V::Item>> {
        Pin::new(&mut *self.lock()).poll_next(cx)
    }
}

impl<V: FusedStream + Unpin> FusedStream for WsReceiver<V> {
    fn is_terminated(&self) -> bool {
        self.lock().is_terminated()
    }
}

/// Shows no content: the other half may hold the lock.
impl<V> fmt::Debug for WsSender<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsSender").finish_non_exhaustive()
    }
}

/// Shows no content: the other half may hold the lock.
impl<V> fmt::Debug for WsReceiver<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsReceiver").finish_non_exhaustive()
    }
}

/// The halves that were to be joined, of two different connections, in the order of `into_split`:
/// that of a [`WsStream`](crate::WsStream) returns the reading half first, the others the sending
/// half.
#[derive(Debug)]
pub struct ReuniteError<A, B>(pub A, pub B);

impl<A, B> fmt::Display for ReuniteError<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the halves belong to different connections")
    }
}

impl<A: fmt::Debug, B: fmt::Debug> Error for ReuniteError<A, B> {}
