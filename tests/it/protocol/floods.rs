//! A peer that sends what is no data, without end, does not hold the task that reads.

use std::{
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::{AsyncReadExt, executor::block_on, future};
use support::{
    FRAMED, Frame, IMMEDIATE, PIPE_CAPACITY, Role, Setup, WakeFlag, config_without_keepalive,
    describe, observe, on_transports, poll_until_idle, run, timeout,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_framed::{CloseFrame, Message, MessageTransport, WsErr, WsStream, accept};

/// Polls a read once. It has to let go of the task, and to want it back.
fn yields<M: MessageTransport>(ours: &mut WsStream<M>) {
    let woken = Arc::new(WakeFlag::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut buf = [0; 8];
    let polled = pin!(ours.read(&mut buf)).poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    assert!(woken.take(), "there is more to do");
}

/// Gives this message for ever.
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

#[test]
fn endless_messages_without_data_let_go_of_the_task() {
    let messages = [
        Message::Binary(Vec::new().into()),
        Message::Ping(b"ping"[..].try_into().unwrap()),
        Message::Pong(b"pong"[..].try_into().unwrap()),
    ];
    for message in messages {
        let mut ours = WsStream::new(Endless(message));
        block_on(timeout(async { yields(&mut ours) }));
    }
}

/// A client's request, then empty fragments of one message, for ever. What is written is gone.
struct Fragments {
    request: &'static [u8],
    sent: usize,
}

/// An empty continuation frame that is not the last, with a mask of zeroes.
const FRAGMENT: [u8; 6] = [0x00, 0x80, 0, 0, 0, 0];

impl AsyncRead for Fragments {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let bytes = this.request.iter().chain(FRAGMENT.iter().cycle());
        let begin = match this.sent.checked_sub(this.request.len()) {
            Some(fragments) => this.request.len() + fragments % FRAGMENT.len(),
            None => this.sent,
        };
        let room = buf.remaining();
        let bytes: Vec<u8> = bytes.skip(begin).take(room).copied().collect();
        this.sent += bytes.len();
        buf.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Fragments {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn endless_empty_fragments_let_go_of_the_task() {
    run(async {
        let io = Fragments {
            // The first byte of the first fragment says that the message is binary.
            request: b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
                Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\
                \x02\x80\0\0\0\0",
            sent: 0,
        };
        let mut ours = accept(io).await.unwrap();
        yields(&mut ours);
        yields(&mut ours);
    });
}

#[test]
fn a_flood_of_messages_without_data_neither_overflows_nor_ends() {
    let places = &FRAMED;
    on_transports(
        places,
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

#[test]
fn a_peer_that_pings_and_never_reads_is_read_no_further() {
    on_transports(
        // Where the library replies to pings itself, one pong is kept, and reading goes on.
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
            let taken = handle.stats().pings_received;
            // What the connection holds, and as many pongs as the library allows itself to owe.
            let bound = 2000 + PIPE_CAPACITY as u64 / 125;
            assert!(taken < bound, "{taken} pongs are kept in memory");
            assert!(describe(&mut events).len() < 200, "so many events are kept");
        },
    );
}

#[test]
fn a_peer_that_pings_and_never_reads_cannot_put_the_end_off() {
    let config = config_without_keepalive().close_timeout(Duration::from_millis(100));
    on_transports(&IMMEDIATE, &config, async |mut ours, mut peer| {
        let mut buf = [0; 8];
        let flood = async {
            loop {
                peer.send(Frame::ping([b'x'; 125])).await;
            }
        };
        {
            let both = pin!(future::join(ours.read(&mut buf), flood));
            let polled: Poll<(_, ())> = poll_until_idle(both);
            assert!(polled.is_pending());
        }
        // Only the reader is there to see to it.
        ours.handle().close(CloseFrame::normal()).unwrap();
        let error = ours.read(&mut buf).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    });
}
