//! Write timeouts: a write to a peer that takes nothing ends the connection for all but a reader.

use std::{
    io::{self, ErrorKind},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use futures::{
    AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt,
    executor::block_on,
    future,
    io::{AsyncRead, AsyncWrite},
};
use support::{
    Frame, NO_TIMERS, ROLES, describe, encode_frames, from_raw_socket, observe, on_transports,
    read_to_end, run, timeout, ws_error,
};
use ws_framed::{CloseOutcome, LengthDelimited, WsErr, WsStream};

use super::{blocked_tcp, short_keepalive};

/// Writes until the peer, which takes nothing, has timed out.
async fn time_out_writing(ours: &mut WsStream) {
    let error = write_forever(&mut *ours).await;
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
}

/// The error that ends the writes.
async fn write_forever(mut writer: impl AsyncWrite + Unpin) -> io::Error {
    loop {
        if let Err(error) = writer.write_all(&[0; 1000]).await {
            return error;
        }
    }
}

fn is_broken_pipe<T>(result: io::Result<T>) -> bool {
    result.is_err_and(|error| {
        error.kind() == ErrorKind::BrokenPipe && matches!(ws_error(&error), WsErr::Closed)
    })
}

/// A write and a flush over TCP return `TimedOut` when the peer takes nothing.
#[test]
fn blocked_write_times_out() {
    for role in ROLES {
        run(async {
            let (mut ours, _peer) = blocked_tcp(role, short_keepalive()).await;
            let error = ours.flush().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
        });
        run(async {
            let (mut ours, _peer) = blocked_tcp(role, short_keepalive()).await;
            time_out_writing(&mut ours).await;
        });
    }
}

/// After a write timeout, writes return `BrokenPipe`, a flush reports the lost data once, and a
/// read returns `TimedOut` once.
#[test]
fn later_writes_are_broken_pipes() {
    on_transports(&NO_TIMERS, &short_keepalive(), async |mut ours, _peer| {
        let mut events = observe(&mut ours).await;
        time_out_writing(&mut ours).await;
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

/// After a write timeout, an item stream returns `BrokenPipe` for items, and once for a close.
#[test]
fn later_items_are_broken_pipes() {
    on_transports(&NO_TIMERS, &short_keepalive(), async |mut ours, _peer| {
        time_out_writing(&mut ours).await;
        let mut items = ours.framed(LengthDelimited::new(100));
        let error = io::Error::from(items.feed("more".into()).await.unwrap_err());
        assert!(is_broken_pipe(Err::<(), _>(error)));
        let error = io::Error::from(items.close().await.unwrap_err());
        assert!(is_broken_pipe(Err::<(), _>(error)));
        items.close().await.unwrap();
    });
}

/// A write timeout ends a ping in flight.
#[test]
fn timeout_ends_ping_in_flight() {
    on_transports(&NO_TIMERS, &short_keepalive(), async |mut ours, _peer| {
        let handle = ours.handle();
        let mut ping = pin!(handle.ping());
        let polled = ping.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        ours.flush().await.unwrap();
        time_out_writing(&mut ours).await;
        let end = ping.now_or_never().expect("the connection has ended");
        assert!(matches!(end, Err(WsErr::Closed)), "{end:?}");
    });
}

/// A reader learns of a write timeout when the writer and the handle do, after the data that
/// arrived before. It does not wait for `close_timeout`, which is 600 s here.
#[test]
fn reader_learns_of_write_timeout() {
    on_transports(
        &NO_TIMERS,
        &short_keepalive(),
        async |mut ours, mut peer| {
            peer.send(Frame::binary("before")).await;
            time_out_writing(&mut ours).await;
            let (data, end) = read_to_end(&mut ours).await;
            assert_eq!(data, b"before");
            assert_eq!(end.unwrap_err().kind(), ErrorKind::TimedOut);
        },
    );
    for role in ROLES {
        println!("over TCP as {role:?}");
        run(async {
            let (mut ours, mut peer) = blocked_tcp(role, short_keepalive()).await;
            peer.send(Frame::binary("before")).await;
            time_out_writing(&mut ours).await;
            let (data, end) = read_to_end(&mut ours).await;
            assert_eq!(data, b"before");
            assert_eq!(end.unwrap_err().kind(), ErrorKind::TimedOut);
        });
    }
}

/// A reader that is parked on another task learns of a write timeout when the writer and the handle
/// do.
#[test]
fn parked_reader_learns_of_write_timeout() {
    on_transports(&NO_TIMERS, &short_keepalive(), async |ours, mut peer| {
        let handle = ours.handle();
        peer.send(Frame::binary("before")).await;
        let (mut reader, writer) = ours.split();
        let mut data = Vec::new();
        let (write, read, outcome) = future::join3(
            write_forever(writer),
            reader.read_to_end(&mut data),
            handle.closed(),
        )
        .await;
        assert_eq!(data, b"before");
        assert_eq!(read.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(outcome, CloseOutcome::TimedOut);
        // Either task may find the timeout; if it is the reader, the connection is closed for
        // writes.
        let kinds = [ErrorKind::TimedOut, ErrorKind::BrokenPipe];
        assert!(kinds.contains(&write.kind()), "{write:?}");
    });
}

/// A byte stream that takes nothing, not even its close, and yields the same bytes forever.
struct Blocked {
    bytes: Vec<u8>,
    position: usize,
    read: usize,
}

/// More than the largest buffer of unsent pongs, and than tungstenite reads at once.
const MAX_READ: usize = 1024 * 1024;

impl AsyncRead for Blocked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        assert!(self.read < MAX_READ, "reads do not stop");
        let read = io::Read::read(&mut &self.bytes[self.position..], buf)?;
        self.position = (self.position + read) % self.bytes.len();
        self.read += read;
        Poll::Ready(Ok(read))
    }
}

impl AsyncWrite for Blocked {
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

/// A peer that sends pings forever and takes nothing times out, and reads stop although tungstenite
/// keeps each unsent pong.
#[test]
fn timeout_stops_reading_pings() {
    for role in ROLES {
        block_on(timeout(async {
            let frames = [Frame::ping([7; 125]), Frame::binary("x")];
            let io = Blocked {
                bytes: encode_frames(role.other(), &frames),
                position: 0,
                read: 0,
            };
            let mut ours = from_raw_socket(io, role, short_keepalive()).await;
            ours.write_all(b"hello").await.unwrap();
            let error = ours.flush().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            let mut data = Vec::new();
            let error = ours.read_to_end(&mut data).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert!(!data.is_empty(), "data before the timeout is read");
        }));
    }
}
