//! Peers that send control frames or empty messages forever, which carry no data.

use std::{
    io,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{AsyncReadExt, executor::block_on, future};
use support::{
    FRAMED, Frame, IMMEDIATE, PIPE_CAPACITY, Role, Setup, config_without_keepalive, describe,
    observe, on_transports, poll_once, poll_times, poll_until_idle, timeout,
};
use ws_framed::{CloseFrame, Message, MessageTransport, WsErr, WsStream};

/// A transport that always has this message.
struct Endless(Message);

impl MessageTransport for Endless {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        Poll::Ready(Some(Ok(self.0.clone())))
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

/// A read of a custom transport that always has a message without data yields to other tasks. Over
/// sockets, `memory::polls` counts the bytes.
#[test]
fn ready_transport_yields() {
    let messages = [
        Message::Binary(Vec::new().into()),
        Message::Ping(b"ping"[..].try_into().unwrap()),
        Message::Pong(b"pong"[..].try_into().unwrap()),
    ];
    for message in messages {
        let mut ours = WsStream::new(Endless(message));
        block_on(timeout(async {
            let (polled, is_woken) = poll_once(ours.read(&mut [0; 8]));
            assert!(polled.is_pending());
            assert!(is_woken, "there is more to read");
        }));
    }
}

/// A read skips thousands of pings and empty messages, and returns the data after them. Each ping
/// counts.
#[test]
fn pings_and_empty_messages() {
    on_transports(
        &FRAMED,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let flood = async {
                for _ in 0..2000 {
                    peer.send(Frame::ping("")).await;
                    peer.send(Frame::binary("")).await;
                }
                peer.send(Frame::binary("data")).await;
            };
            let mut data = [0; 8];
            let (read, ()) = future::join(ours.read(&mut data), flood).await;
            assert_eq!(read.unwrap(), 4);
            assert_eq!(ours.handle().stats().pings_received, 2000);
        },
    );
}

/// Over wrapped sockets, reads stop while the peer does not read the pongs for its pings.
#[test]
fn unread_pongs_stop_reading() {
    on_transports(
        // A custom transport gets its pongs from this library, which keeps one and reads on.
        &[Setup::Pipe(Role::Server), Setup::Pipe(Role::Client)],
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            const PINGS: u64 = 20_000;
            let mut events = observe(&mut ours).await;
            let handle = ours.handle();
            let mut buf = [0; 8];
            let flood = async {
                for _ in 0..PINGS {
                    peer.send(Frame::ping([b'x'; 125])).await;
                }
            };
            let both = pin!(future::join(ours.read(&mut buf), flood));
            assert!(poll_until_idle(both).is_pending());
            let received = handle.stats().pings_received;
            // The pongs in the pipe, and the unsent pongs that the transport allows.
            let max = 2000 + PIPE_CAPACITY as u64 / 125;
            assert!(received < max, "{received} pongs are in memory");
            assert!(describe(&mut events).len() < 200, "too many events");
        },
    );
}

/// Endless pings from a peer that never reads do not delay the deadline of a close.
#[test]
fn unread_pongs_and_close_timeout() {
    let config = config_without_keepalive().close_timeout(Duration::from_millis(100));
    on_transports(&IMMEDIATE, &config, async |mut ours, mut peer| {
        let mut buf = [0; 8];
        let mut flood = pin!(async {
            loop {
                peer.send(Frame::ping([b'x'; 125])).await;
            }
        });
        let both = future::join(ours.read(&mut buf), flood.as_mut());
        let polled: Option<(_, ())> = poll_times(100, both);
        assert!(polled.is_none());
        // Only the reader can send the close frame.
        ours.handle().close(CloseFrame::normal()).unwrap();
        let error = match future::select(ours.read(&mut buf), flood).await {
            future::Either::Left((read, _)) => read.unwrap_err(),
            future::Either::Right(((), _)) => unreachable!("the flood is endless"),
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    });
}
