//! Peers that do more than any honest one does: one on a thread, that sends through a real socket as fast as
//! that takes it, and a stream that always has more. Neither uses memory that would show in a measurement.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test file uses a part of it"
)]

use std::{
    io::{self, Write},
    net,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    thread,
};

use async_tungstenite::tokio::TokioAdapter;
use counting_alloc::{Cost, Meter};
use futures::{executor::block_on, future, io::AllowStdIo};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpSocket, TcpStream},
};
use ws_framed::{Config, WsStream};

use crate::common::{
    Flag,
    handshake::{answer_to, open},
    raw::{Frame, RawPeer, Role, bytes_of},
    sockets,
};

/// So many when optimised, less otherwise: a flood is one already when it fills all buffers many times.
pub fn many(count: usize) -> usize {
    if cfg!(debug_assertions) {
        count / 20
    } else {
        count
    }
}

/// A peer on a thread of its own, behind a socket with small buffers.
pub struct Wire {
    socket: net::TcpStream,
    role: Role,
}

impl Wire {
    pub fn send(&mut self, frame: &Frame) {
        self.send_bytes(&bytes_of(self.role, std::slice::from_ref(frame)));
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    /// Sends these frames so many times, or until nobody takes them. Returns how often.
    pub fn flood(&mut self, frames: &[Frame], times: usize) -> usize {
        let once = bytes_of(self.role, frames);
        // Many at a time: a call for each of a million frames would test the system, not us.
        let batch = (16 * 1024 / once.len()).max(1);
        let bytes = once.repeat(batch);
        for sent in (0..times).step_by(batch) {
            let batch = batch.min(times - sent);
            if self.socket.write_all(&bytes[..batch * once.len()]).is_err() {
                return sent;
            }
        }
        times
    }

    /// Reads, on one more thread, to the end: how many frames came, and the last.
    pub fn listen(&self) -> thread::JoinHandle<Heard> {
        let socket = self.socket.try_clone().unwrap();
        let role = self.role;
        thread::spawn(move || {
            let mut peer = RawPeer::new(AllowStdIo::new(socket), role);
            let mut heard = Heard::default();
            while let Some(frame) = block_on(peer.next()) {
                heard.frames += 1;
                heard.last = Some(frame);
            }
            heard
        })
    }

    /// Sends no more.
    pub fn shut(&self) {
        // It may have ended already.
        let _ = self.socket.shutdown(net::Shutdown::Write);
    }
}

/// What a peer heard from us.
#[derive(Debug, Default)]
pub struct Heard {
    pub frames: usize,
    pub last: Option<Frame>,
}

impl Heard {
    /// The code and the reason of the close frame, which has to be the last that came.
    pub fn close(&self) -> (u16, String) {
        self.last.as_ref().expect("a close frame").close_code()
    }
}

/// Two ends of a TCP connection that does not hold much.
pub async fn narrow_tcp() -> (TcpStream, TcpStream) {
    const BUFFER: u32 = 16 * 1024;
    let socket = || {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(BUFFER).unwrap();
        socket.set_recv_buffer_size(BUFFER).unwrap();
        socket
    };
    let listening = socket();
    listening.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = listening.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, connected) = future::join(listener.accept(), socket().connect(address)).await;
    let (accepted, connected) = (accepted.unwrap().0, connected.unwrap());
    accepted.set_nodelay(true).unwrap();
    connected.set_nodelay(true).unwrap();
    (accepted, connected)
}

/// Opens a connection in this role to a peer that does what `script` says, lets `test` have our end, and
/// tells what the connection cost from the handshake to the end of `test`, if nothing else runs meanwhile: see
/// `counting_alloc::exclusive`.
pub fn flooded<T: Send + 'static>(
    role: Role,
    config: Config,
    script: impl FnOnce(Wire) -> T + Send + 'static,
    test: impl AsyncFnOnce(WsStream),
) -> (Cost, T) {
    // Shown when the test fails.
    println!("as {role:?}");
    sockets::run(async {
        let (ours, theirs) = narrow_tcp().await;
        let socket = theirs.into_std().unwrap();
        let theirs = TcpStream::from_std(socket.try_clone().unwrap()).unwrap();
        let meter = Meter::start();
        let ours = open(role, config, ours);
        let peer = RawPeer::shake_hands(TokioAdapter::new(theirs), role.other());
        let (ours, _) = future::join(ours, peer).await;
        socket.set_nonblocking(false).unwrap();
        let wire = Wire {
            socket,
            role: role.other(),
        };
        let script = thread::spawn(move || script(wire));
        test(ours.unwrap()).await;
        let cost = meter.cost();
        (cost, script.join().unwrap())
    })
}

/// A stream that shakes hands and then has the same bytes for ever. It takes whatever is written.
pub struct Endless {
    role: Role,
    /// What was written by our end so far, until its handshake is complete.
    request: Vec<u8>,
    /// What is read before the rest.
    head: Vec<u8>,
    pattern: Vec<u8>,
    /// Where reading has got to in the pattern.
    at: usize,
    taken: Arc<AtomicUsize>,
    most: usize,
}

/// How many bytes of an [`Endless`] stream were read after its handshake.
#[derive(Clone)]
pub struct Taken(Arc<AtomicUsize>);

impl Taken {
    pub fn bytes(&self) -> usize {
        self.0.load(Relaxed)
    }
}

/// Our end of a connection to a peer that sends `first`, and then `pattern` for ever, faster than we can read.
/// A read of more than `most` bytes in all fails the test: it might never end.
pub async fn endless(
    role: Role,
    config: Config,
    first: &[Frame],
    pattern: &[Frame],
    most: usize,
) -> (WsStream, Taken) {
    let sender = role.other();
    let head = match role {
        Role::Server => REQUEST.to_vec(),
        Role::Client => Vec::new(),
    };
    let taken = Arc::new(AtomicUsize::new(0));
    let io = Endless {
        role,
        request: Vec::new(),
        head,
        pattern: [bytes_of(sender, first), bytes_of(sender, pattern)].concat(),
        at: 0,
        taken: Arc::clone(&taken),
        most,
    };
    let io = Looping {
        again: bytes_of(sender, first).len(),
        io,
    };
    (open(role, config, io).await.unwrap(), Taken(taken))
}

const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// An [`Endless`] stream, and where its pattern begins anew.
struct Looping {
    io: Endless,
    again: usize,
}

impl AsyncRead for Looping {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { io, again } = &mut *self;
        if !io.head.is_empty() {
            let len = io.head.len().min(buf.remaining());
            buf.put_slice(&io.head[..len]);
            io.head.drain(..len);
            return Poll::Ready(Ok(()));
        }
        if io.role == Role::Client && !io.request.ends_with(b"\r\n\r\n") {
            // The handshake is polled again by whoever wrote the request.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let taken = io.taken.load(Relaxed);
        assert!(
            taken <= io.most,
            "{taken} bytes are more than were to be read"
        );
        while buf.remaining() > 0 {
            let rest = &io.pattern[io.at..];
            let len = rest.len().min(buf.remaining());
            buf.put_slice(&rest[..len]);
            io.taken.fetch_add(len, Relaxed);
            io.at += len;
            if io.at == io.pattern.len() {
                io.at = *again;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Looping {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let io = &mut self.io;
        if io.role == Role::Client && !io.request.ends_with(b"\r\n\r\n") {
            io.request.extend(buf);
            if io.request.ends_with(b"\r\n\r\n") {
                io.head = answer_to(&io.request);
            }
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Polls once, and tells whether it has asked to be polled again.
pub fn poll_once<F: Future>(future: F) -> (Poll<F::Output>, bool) {
    let flag = Arc::new(Flag::default());
    let waker = Waker::from(Arc::clone(&flag));
    let output = pin!(future).poll(&mut Context::from_waker(&waker));
    (output, flag.take())
}
