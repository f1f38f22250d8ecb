//! [`Reconnector`]: connecting again after a connection has ended.

#[cfg(not(target_arch = "wasm32"))]
use std::time::SystemTime;
use std::{fmt, time::Duration};

use http::header::RETRY_AFTER;

use crate::{
    error::WsErr,
    time::{Instant, Timer},
};

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
///     if news.send("subscribe".into()).await.is_err() {
///         continue;
///     }
///     while let Some(Ok(line)) = news.next().await {
///         println!("{line}");
///     }
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
/// # What is not guaranteed
/// - Delivery: requests without a reply on the old connection may have been received or not. Number
///   them, or make them idempotent.
/// - Completeness: messages may have been missed in between. Ask for those since the last one.
/// - That the same server replies.
///
/// A reconnector does not watch the connections that it returned. Read from them, and call
/// [`connect`](Self::connect) again when they end.
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
}

impl<F> Reconnector<F> {
    /// Creates a reconnector that connects by `connect`.
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

    /// Returns a new connection, after as many attempts as needed.
    ///
    /// # Errors
    /// The error of the last attempt, after [`max_attempts`](Self::max_attempts), or if retrying
    /// cannot help: an argument that is not valid ([`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`],
    /// [`WsErr::InvalidConfig`]), [`WsErr::Unsupported`], [`WsErr::NoSubprotocol`],
    /// [`WsErr::Extension`], and [`WsErr::Rejected`] with a permanent redirection (301, 308), or a status from 400 to 499
    /// other than 408, 425 and 429. A browser does not report the last three, so they are retried
    /// there.
    ///
    /// # Cancel safety
    /// Dropping the future drops the attempt in flight. The next call continues with the waits and
    /// the count of attempts.
    pub async fn connect<T>(&mut self) -> Result<T, WsErr>
    where
        F: AsyncFnMut() -> Result<T, WsErr>,
    {
        self.update_backoff();
        loop {
            if self.has_attempted {
                Timer::after(self.wait()).await;
            }
            self.has_attempted = true;
            match (self.connect)().await {
                Ok(connection) => {
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

/// Whether retrying cannot help.
fn is_final(error: &WsErr) -> bool {
    match error {
        WsErr::InvalidUrl(_)
        | WsErr::InvalidHeader(_)
        | WsErr::InvalidConfig(_)
        | WsErr::Unsupported(_)
        | WsErr::NoSubprotocol
        | WsErr::Extension(_) => true,
        // Timeout, too early, too many requests (RFC 9110 section 15.5.9, RFC 8470, RFC 6585).
        WsErr::Rejected(response) => match response.status().as_u16() {
            408 | 425 | 429 => false,
            status => matches!(status, 301 | 308 | 400..500),
        },
        _ => false,
    }
}

/// The value of `Retry-After`: seconds, or a date.
fn retry_after(error: &WsErr) -> Option<Duration> {
    let WsErr::Rejected(response) = error else {
        return None;
    };
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that does not fit counts as the longest time.
        let seconds = (!value.is_empty()).then(|| value.parse().unwrap_or(u64::MAX));
        return seconds.map(Duration::from_secs);
    }
    until(value)
}

/// The time until a date (RFC 9110 section 5.6.7).
#[cfg(not(target_arch = "wasm32"))]
fn until(date: &str) -> Option<Duration> {
    let date = httpdate::parse_http_date(date).ok()?;
    date.duration_since(SystemTime::now()).ok()
}

/// A browser does not report rejections.
#[cfg(target_arch = "wasm32")]
fn until(_: &str) -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::VecDeque};

    use futures::FutureExt;
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::{
        error::RejectedHandshake,
        time::virtual_time::{advance, next_timer},
    };

    const SECOND: Duration = Duration::from_secs(1);

    type Answers = RefCell<VecDeque<Result<(), WsErr>>>;

    fn failing(times: usize) -> Answers {
        let failure = || Err(WsErr::UnexpectedEof);
        let answers = std::iter::repeat_with(failure).take(times).chain([Ok(())]);
        RefCell::new(answers.collect())
    }

    fn rejected(status: u16) -> WsErr {
        let status = StatusCode::from_u16(status).unwrap();
        RejectedHandshake::new(status, HeaderMap::new(), "").into()
    }

    fn retry_after(value: &str) -> WsErr {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        RejectedHandshake::new(StatusCode::SERVICE_UNAVAILABLE, headers, "").into()
    }

    /// Runs `work` in virtual time. Returns its result, and each wait.
    fn run<T>(work: impl Future<Output = T>) -> (T, Vec<Duration>) {
        let mut work = Box::pin(work);
        let mut waits = Vec::new();
        loop {
            // An elapsed timer yields once before it fires.
            for _ in 0..2 {
                if let Some(result) = work.as_mut().now_or_never() {
                    return (result, waits);
                }
            }
            let wait = next_timer().expect("it waits for time only");
            waits.push(wait);
            advance(wait);
        }
    }

    fn reconnector(answers: &Answers) -> Reconnector<impl AsyncFnMut() -> Result<(), WsErr>> {
        let connect = async || answers.borrow_mut().pop_front().unwrap_or(Ok(()));
        Reconnector::new(connect)
            .initial_backoff(SECOND)
            .max_backoff(SECOND * 10)
    }

    #[test]
    fn first_attempt_does_not_wait() {
        let (connected, waits) = run(reconnector(&failing(0)).connect());
        connected.unwrap();
        assert!(waits.is_empty());
    }

    #[test]
    fn waits_are_random_and_grow_up_to_the_longest() {
        let caps = [1, 2, 4, 8, 10, 10, 10].map(|seconds| SECOND * seconds);
        let mut sums = [Duration::ZERO; 7];
        for _ in 0..200 {
            let (connected, waits) = run(reconnector(&failing(7)).connect());
            connected.unwrap();
            assert_eq!(waits.len(), caps.len());
            for ((wait, cap), sum) in waits.iter().zip(caps).zip(&mut sums) {
                assert!(*wait <= cap);
                *sum += *wait;
            }
        }
        for (sum, cap) in sums.into_iter().zip(caps) {
            let mean = sum.div_duration_f64(cap * 200);
            assert!((0.35..0.65).contains(&mean), "{mean} of {cap:?}");
        }
    }

    /// After a connection that lasted, the waits start at the initial backoff again.
    #[test]
    fn long_connection_resets_the_waits() {
        let answers = failing(6);
        let mut reconnector = reconnector(&answers);
        run(reconnector.connect()).0.unwrap();
        advance(SECOND * 10);
        let (connected, waits) = run(reconnector.connect());
        connected.unwrap();
        assert_eq!(waits.len(), 1);
        assert!(waits[0] <= SECOND, "{waits:?}");
    }

    /// A server that accepts and disconnects at once does not cause a busy loop.
    #[test]
    fn immediate_disconnects_cause_waits() {
        let answers = failing(0);
        let mut reconnector = reconnector(&answers);
        let mut waited = Duration::ZERO;
        for _ in 0..100 {
            let (connected, waits) = run(reconnector.connect());
            connected.unwrap();
            waited += waits.iter().sum::<Duration>();
        }
        assert!(waited > SECOND * 200, "{waited:?}");
    }

    /// A call fails after the maximum of attempts, and the next call starts to count again.
    #[test]
    fn attempts_are_limited_per_call() {
        let answers = failing(5);
        let mut reconnector = reconnector(&answers).max_attempts(3);
        let (connected, waits) = run(reconnector.connect());
        assert!(matches!(connected, Err(WsErr::UnexpectedEof)));
        assert_eq!(waits.len(), 2);
        let (connected, waits) = run(reconnector.connect());
        connected.unwrap();
        assert_eq!(waits.len(), 3);
    }

    /// Errors that a retry cannot fix are returned at once; others are retried.
    #[test]
    fn permanent_errors_are_not_retried() {
        for error in [
            WsErr::InvalidUrl(String::new()),
            WsErr::NoSubprotocol,
            WsErr::Extension(String::new()),
            WsErr::Unsupported(crate::Unsupported::Headers),
            rejected(301),
            rejected(308),
            rejected(401),
            rejected(404),
        ] {
            let answers = RefCell::new(VecDeque::from([Err(error)]));
            let (connected, waits) = run(reconnector(&answers).connect());
            connected.unwrap_err();
            assert!(waits.is_empty());
        }
        for status in [200, 302, 307, 408, 425, 429, 500, 503] {
            let answers = RefCell::new(VecDeque::from([Err(rejected(status))]));
            run(reconnector(&answers).connect()).0.unwrap();
        }
    }

    /// The second of two waits, after a response with this value; the first one has no such value.
    fn wait_after(value: &str) -> Duration {
        let answers = [Err(WsErr::UnexpectedEof), Err(retry_after(value)), Ok(())];
        let answers = RefCell::new(VecDeque::from(answers));
        let (connected, waits) = run(reconnector(&answers).connect());
        connected.unwrap();
        assert!(waits[0] <= SECOND, "{waits:?}");
        waits[1]
    }

    /// A wait is at least what `Retry-After` says, up to the longest backoff.
    #[test]
    fn retry_after_is_honoured() {
        let at = |time| httpdate::fmt_http_date(time);
        let now = SystemTime::now();
        for (value, least, most) in [
            ("3", 3, 5),
            (" 3 ", 3, 5),
            ("0", 0, 2),
            ("9", 9, 10),
            ("10", 10, 10),
            ("3600", 10, 10),
            ("99999999999999999999999999", 10, 10),
            (&at(now + SECOND * 3600), 10, 10),
            (&at(now - SECOND * 3600), 0, 2),
            ("Tuesday, 01-Jan-80 00:00:00 GMT", 0, 2),
            ("", 0, 2),
            ("-3", 0, 2),
            ("soon", 0, 2),
        ] {
            let wait = wait_after(value);
            assert!(
                SECOND * least <= wait && wait <= SECOND * most,
                "{value:?}: {wait:?}"
            );
        }
    }

    #[test]
    fn retry_after_counts_for_one_wait() {
        let answers = [Err(retry_after("9")), Err(WsErr::UnexpectedEof), Ok(())];
        let answers = RefCell::new(VecDeque::from(answers));
        let (connected, waits) = run(reconnector(&answers).connect());
        connected.unwrap();
        assert!(
            waits[0] >= SECOND * 9 && waits[1] <= SECOND * 2,
            "{waits:?}"
        );
    }

    /// Dropping a call keeps the waits and the count of attempts.
    #[test]
    fn dropped_call_keeps_the_count() {
        let answers = failing(4);
        let mut reconnector = reconnector(&answers).max_attempts(5);
        for _ in 0..10 {
            assert!(reconnector.connect().now_or_never().is_none());
        }
        let (connected, waits) = run(reconnector.connect());
        connected.unwrap();
        assert_eq!(waits.len(), 4);

        let answers = failing(4);
        let mut reconnector = self::reconnector(&answers).max_attempts(4);
        assert!(reconnector.connect().now_or_never().is_none());
        let (connected, _) = run(reconnector.connect());
        connected.unwrap_err();
    }
}
