//! [`Reconnector`]: connecting again after a connection has ended.

mod errors;
pub(crate) mod handle;
#[cfg(target_arch = "wasm32")]
mod online;

use std::{fmt, time::Duration};

use self::{
    errors::{is_final, retry_after},
    handle::{Owner, Phase, ReconnectHandle},
};
use crate::{
    close::{CloseCode, CloseFrame, CloseOutcome, ClosedBy, LossCause},
    error::WsErr,
    time::Instant,
};

/// The longest that clients wait after [`CloseCode::SERVICE_RESTART`], and 6 times the shortest:
/// the registry of close codes asks for a random delay of 5 to 30 seconds.
const RESTART_DELAY: Duration = Duration::from_secs(30);

/// Connects repeatedly, with growing and jittered waits between the attempts, and returns a new
/// connection each time.
///
/// A closure connects: by [`connect`](crate::connect), by a [`Connector`](crate::Connector) with a
/// token that it fetches, or over a socket of another runtime. It may return a
/// [`WsStream`](crate::WsStream), a [`WsFramed`](crate::WsFramed), or a type that contains one. It
/// works in browsers, too. In a spawned task, it has to own what it captures: `async move`.
///
#[cfg_attr(feature = "tokio", doc = "```no_run")]
#[cfg_attr(not(feature = "tokio"), doc = "```text")]
/// use futures::{SinkExt, StreamExt};
/// use ws_framed::{Lines, Reconnector, WsErr};
///
/// # async fn run() -> Result<(), WsErr> {
/// let mut reconnector = Reconnector::new(async move || {
///     let stream = ws_framed::connect("ws://localhost:8080/news").await?;
///     Ok(stream.framed(Lines::new(1024)))
/// });
/// loop {
///     let mut news = reconnector.connect().await?;
///     // A new connection has no state of the previous one, so subscribe again.
///     if news.send("subscribe".into()).await.is_ok() {
///         while let Some(Ok(line)) = news.next().await {
///             println!("{line}");
///         }
///     }
///     // How it ended decides when to come back, and whether.
///     let handle = news.handle();
///     drop(news);
///     reconnector.ended(&handle.closed().await);
/// }
/// # }
/// ```
///
/// # Waits
/// The first attempt does not wait. Each later one waits for a random time: at most
/// [`initial_backoff`](Self::initial_backoff), and at most twice as long after each failure, up to
/// [`max_backoff`](Self::max_backoff). The random part spreads the clients of a server that restarts.
///
/// If a server rejected the handshake and said when to try again (`Retry-After`, RFC 9110 section
/// 10.2.3), the random time is waited in addition to that, up to `max_backoff` altogether.
///
/// A connection that was returned less than `max_backoff` ago counts as a failure, so that a server
/// that accepts and disconnects does not cause a busy loop. After one that lasted longer, the waits
/// start at `initial_backoff` again.
///
/// # Close codes
/// [`ended`](Self::ended) tells the reconnector how a connection has ended. If the peer closed it with
/// 1012 (service restart) or 1013 (try again later), the next wait is longer by 5 to 30 seconds, or by
/// the same part of a shorter `max_backoff`, up to `max_backoff` altogether. After 1008 (policy
/// violation), and the codes of [`stop_on`](Self::stop_on), the next call of `connect` fails.
///
/// # What is not guaranteed
/// - Delivery: requests without a reply on the old connection may have been received or not. Number
///   them, or make them idempotent.
/// - Completeness: messages may have been missed in between. Ask for those since the last one.
/// - That the same server replies.
///
/// A reconnector does not watch the connections that it returned. Read from them, and call
/// [`connect`](Self::connect) again when they end. Its [`handle`](Self::handle) shows what it does.
///
/// A clone has handles of its own.
#[derive(Clone)]
pub struct Reconnector<F> {
    connect: F,
    initial_backoff: Duration,
    max_backoff: Duration,
    max_attempts: Option<u32>,
    has_attempted: bool,
    /// Failed attempts since an error or a connection was returned.
    attempts: u32,
    failures: u32,
    /// What the last server that rejected the handshake asked for.
    retry_after: Duration,
    /// When the last connection was returned.
    opened: Option<Instant>,
    /// The close codes after which there is no further attempt.
    final_codes: Vec<CloseCode>,
    /// The error of the next call, after such a code.
    stopped: Option<WsErr>,
    shared: Owner,
}

impl<F> Reconnector<F> {
    /// Creates a reconnector that connects by `connect`.
    #[must_use]
    pub fn new(connect: F) -> Self {
        Self {
            connect,
            initial_backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(30),
            max_attempts: None,
            has_attempted: false,
            attempts: 0,
            failures: 0,
            retry_after: Duration::ZERO,
            opened: None,
            final_codes: vec![CloseCode::POLICY_VIOLATION],
            stopped: None,
            shared: Owner::default(),
        }
    }

    /// The maximum wait before the second attempt. Default 500 ms.
    #[must_use]
    pub fn initial_backoff(mut self, wait: Duration) -> Self {
        self.initial_backoff = wait;
        self
    }

    /// The maximum wait before any attempt. Default 30 s.
    #[must_use]
    pub fn max_backoff(mut self, wait: Duration) -> Self {
        self.max_backoff = wait;
        self
    }

    /// After how many failed attempts in a row [`connect`](Self::connect) returns an error. Default
    /// `None`, for no limit.
    ///
    /// An attempt that returns a connection has not failed. Repeated closes by the peer are not
    /// counted; check for [`WsErr::Aborted`].
    #[must_use]
    pub fn max_attempts(mut self, attempts: impl Into<Option<u32>>) -> Self {
        self.max_attempts = attempts.into();
        self
    }

    /// Adds a close code of the peer after which [`connect`](Self::connect) fails, if
    /// [`ended`](Self::ended) tells of it. 1008 (policy violation) is one by default.
    #[must_use]
    pub fn stop_on(mut self, code: CloseCode) -> Self {
        self.final_codes.push(code);
        self
    }

    /// A handle that shows the state, and ends waits. It works from any task.
    #[must_use]
    pub fn handle(&self) -> ReconnectHandle {
        self.shared.handle()
    }

    /// Takes note of how the last connection ended, see [above](Self#close-codes).
    ///
    /// Without a call, a connection has ended when [`connect`](Self::connect) is called again.
    pub fn ended(&mut self, outcome: &CloseOutcome) {
        self.update_backoff();
        self.shared.set(Phase::Idle);
        let (code, reason) = match outcome {
            CloseOutcome::Clean {
                code,
                reason,
                by: ClosedBy::Peer,
                ..
            } => (code, reason.as_str()),
            CloseOutcome::Lost(LossCause::Closed(code)) => (code, ""),
            // The reply to a close of this end says nothing.
            _ => return,
        };
        if self.final_codes.contains(code) {
            let frame = CloseFrame::truncated(*code, reason.to_owned());
            self.stopped = Some(WsErr::Aborted(frame));
        }
        if [CloseCode::SERVICE_RESTART, CloseCode::TRY_AGAIN_LATER].contains(code) {
            let most = RESTART_DELAY.min(self.max_backoff);
            self.retry_after = most.mul_f64((1.0 + 5.0 * fastrand::f64()) / 6.0);
        }
    }

    /// Returns a new connection, after as many attempts as needed.
    ///
    /// # Errors
    /// [`WsErr::Aborted`], once, after a close with a final code, see [`ended`](Self::ended).
    /// Otherwise:
    ///
    /// The error of the last attempt, after [`max_attempts`](Self::max_attempts), or if retrying
    /// cannot help:
    /// - an argument that is not valid: [`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`],
    ///   [`WsErr::InvalidConfig`];
    /// - [`WsErr::NoCodec`] of [`framed_by`](crate::WsStream::framed_by);
    /// - [`WsErr::Unsupported`], [`WsErr::NoSubprotocol`], [`WsErr::Extension`];
    /// - [`WsErr::Rejected`] with a permanent redirection (301, 308), or a status from 400 to 499
    ///   other than 408, 425 and 429;
    /// - [`WsErr::Proxy`] with such a status, or if the proxy does not accept the user, does not
    ///   allow the connection, or does not support it.
    ///
    /// A browser reports a rejection by the server or a proxy as [`WsErr::Handshake`], which is
    /// retried.
    ///
    /// # Cancel safety
    /// Dropping the future drops the attempt in flight. The next call continues with the waits and
    /// the count of attempts.
    pub async fn connect<T>(&mut self) -> Result<T, WsErr>
    where
        F: AsyncFnMut() -> Result<T, WsErr>,
    {
        self.update_backoff();
        if let Some(error) = self.stopped.take() {
            return Err(error);
        }
        let call = self.shared.begin();
        #[cfg(target_arch = "wasm32")]
        let _online = online::Online::listen(self.handle());
        loop {
            if self.has_attempted {
                call.wait(self.wait()).await;
            }
            call.set(Phase::Connecting);
            self.has_attempted = true;
            match (self.connect)().await {
                Ok(connection) => {
                    call.set(Phase::Connected);
                    self.opened = Some(Instant::now());
                    self.attempts = 0;
                    self.retry_after = Duration::ZERO;
                    return Ok(connection);
                }
                Err(error) => {
                    self.failures = self.failures.saturating_add(1);
                    self.attempts = self.attempts.saturating_add(1);
                    self.retry_after = retry_after(&error).unwrap_or_default();
                    let is_enough = self.max_attempts.is_some_and(|most| self.attempts >= most);
                    if is_enough || is_final(&error) {
                        self.attempts = 0;
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Resets the waits after a connection that lasted, and counts another one as a failure.
    fn update_backoff(&mut self) {
        if let Some(opened) = self.opened.take() {
            let lasted = opened.elapsed() >= self.max_backoff;
            self.failures = if lasted {
                0
            } else {
                self.failures.saturating_add(1)
            };
        }
    }

    fn wait(&self) -> Duration {
        let growth = 2_u32.saturating_pow(self.failures.saturating_sub(1));
        let most = self.initial_backoff.saturating_mul(growth);
        let random = most.min(self.max_backoff).mul_f64(fastrand::f64());
        let wait = self.retry_after.saturating_add(random);
        wait.min(self.max_backoff)
    }
}

impl<F> fmt::Debug for Reconnector<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnector")
            .field("initial_backoff", &self.initial_backoff)
            .field("max_backoff", &self.max_backoff)
            .field("max_attempts", &self.max_attempts)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
