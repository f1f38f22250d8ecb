//! A writer has given up a peer that takes nothing: the link has ended for everybody but a reader.

use std::{
    io::{self, ErrorKind},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::{
    AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt,
    executor::block_on,
    io::{AsyncRead, AsyncWrite},
};
use support::{
    Frame, NO_TIMERS, Role, Setup, describe, encode_frames, from_raw_socket, observe,
    on_transports, timeout, ws_error,
};
use ws_framed::{CloseOutcome, Config, Keepalive, LengthDelimited, WsErr, WsStream};

const SOON: Duration = Duration::from_millis(30);

const PLACES: [Setup; 5] = NO_TIMERS;

fn impatient() -> Config {
    Config::default()
        .keepalive(Keepalive::default().interval(SOON).timeout(SOON))
        .close_timeout(SOON)
}

/// Writes until that is given up.
async fn give_up(ours: &mut WsStream) {
    let error = loop {
        if let Err(error) = ours.write_all(&[0; 1000]).await {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
}

fn is_broken_pipe<T>(result: io::Result<T>) -> bool {
    result.is_err_and(|error| {
        error.kind() == ErrorKind::BrokenPipe && matches!(ws_error(&error), WsErr::Closed)
    })
}

#[test]
fn writing_after_that_is_a_broken_pipe_and_flush_says_once_what_is_lost() {
    on_transports(&PLACES, &impatient(), async |mut ours, _peer| {
        let mut events = observe(&mut ours).await;
        give_up(&mut ours).await;
        assert_eq!(describe(&mut events), ["error TimedOut", "closed"]);
        assert!(is_broken_pipe(ours.write_all(b"more").await));
        assert!(is_broken_pipe(ours.flush().await));
        ours.flush().await.unwrap();
        ours.close().await.unwrap();
        assert!(is_broken_pipe(ours.write_all(b"more").await));
        let error = ours.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
    });
}

#[test]
fn items_after_that_are_a_broken_pipe() {
    on_transports(&PLACES, &impatient(), async |mut ours, _peer| {
        give_up(&mut ours).await;
        let mut items = ours.framed(LengthDelimited::new(100));
        let error = io::Error::from(items.feed("more".into()).await.unwrap_err());
        assert!(is_broken_pipe(Err::<(), _>(error)));
        let error = io::Error::from(items.close().await.unwrap_err());
        assert!(is_broken_pipe(Err::<(), _>(error)));
        items.close().await.unwrap();
    });
}

#[test]
fn a_ping_under_way_waits_for_nothing_more() {
    on_transports(&PLACES, &impatient(), async |mut ours, _peer| {
        let handle = ours.handle();
        let mut ping = pin!(handle.ping());
        let polled = ping.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        ours.flush().await.unwrap();
        give_up(&mut ours).await;
        let end = ping.now_or_never().expect("it has ended");
        assert!(matches!(end, Err(WsErr::Closed)), "{end:?}");
    });
}

/// A connection that takes nothing, not even its end, and gives the same bytes for ever.
struct Stuck {
    bytes: Vec<u8>,
    at: usize,
    given: usize,
}

impl AsyncRead for Stuck {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        assert!(self.given < MUCH, "it is read on and on");
        let read = io::Read::read(&mut &self.bytes[self.at..], buf)?;
        self.at = (self.at + read) % self.bytes.len();
        self.given += read;
        Poll::Ready(Ok(read))
    }
}

impl AsyncWrite for Stuck {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// More than the pongs that may be owed, and what the engine reads at once.
const MUCH: usize = 1024 * 1024;

/// The engine of a socket that the user opened keeps every pong that the socket does not take.
#[test]
fn a_peer_that_pings_and_takes_nothing_is_read_no_further() {
    for role in [Role::Server, Role::Client] {
        block_on(timeout(async {
            let frames = [Frame::ping([7; 125]), Frame::binary("x")];
            let io = Stuck {
                bytes: encode_frames(role.other(), &frames),
                at: 0,
                given: 0,
            };
            let mut ours = from_raw_socket(io, role, impatient()).await;
            ours.write_all(b"hello").await.unwrap();
            let error = ours.flush().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            let mut data = Vec::new();
            let error = ours.read_to_end(&mut data).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert!(!data.is_empty(), "what came first is read");
        }));
    }
}
