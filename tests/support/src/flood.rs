//! Peers that send more than any honest one: one on a thread of its own, through a real socket, as
//! fast as that takes it; and a byte stream that always has more to read. Neither uses memory that
//! would show in a measurement.

use std::{
    io::{self, Write},
    net,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    thread,
};

use async_tungstenite::tokio::TokioAdapter;
use futures::{executor::block_on, future, io::AllowStdIo};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpSocket, TcpStream},
};
use ws_framed::{Config, WsStream};

use crate::{
    Frame, RawPeer, Role,
    alloc::{Cost, Meter},
    encode_frames,
    handshake::{REQUEST, open, response_to},
    run,
};

/// `count` in a release build, a twentieth otherwise, which still fills all buffers many times.
pub fn scaled(count: usize) -> usize {
    if cfg!(debug_assertions) {
        count / 20
    } else {
        count
    }
}

/// A peer on a thread of its own, behind a socket with small buffers.
#[derive(Debug)]
pub struct FloodPeer {
    socket: net::TcpStream,
    role: Role,
}

impl FloodPeer {
    pub fn send(&mut self, frame: &Frame) {
        self.send_bytes(&encode_frames(self.role, std::slice::from_ref(frame)));
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    /// Sends these frames so many times, or until the connection fails. Returns how often.
    pub fn flood(&mut self, frames: &[Frame], times: usize) -> usize {
        let once = encode_frames(self.role, frames);
        // Many at a time: a call for each of a million frames would test the system, not the
        // library.
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

    /// Reads to the end on one more thread: how many frames were received, and the last.
    pub fn receive_all(&self) -> thread::JoinHandle<Received> {
        let socket = self.socket.try_clone().unwrap();
        let role = self.role;
        thread::spawn(move || {
            let mut peer = RawPeer::new(AllowStdIo::new(socket), role);
            let mut received = Received::default();
            while let Some(frame) = block_on(peer.next()) {
                received.frames += 1;
                received.last = Some(frame);
            }
            received
        })
    }

    /// Sends no more.
    pub fn close_write(&self) {
        // It may have ended already.
        let _ = self.socket.shutdown(net::Shutdown::Write);
    }
}

/// What a peer received.
#[derive(Debug, Default)]
pub struct Received {
    pub frames: usize,
    pub last: Option<Frame>,
}

impl Received {
    /// The code and the reason of the close frame, which must be the last frame.
    pub fn close(&self) -> (u16, String) {
        self.last.as_ref().expect("a close frame").close_code()
    }
}

/// Two ends of a TCP connection with buffers of 16 KiB.
pub async fn small_tcp() -> (TcpStream, TcpStream) {
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

/// Opens a connection in this role to a peer that runs `script`, and gives our end to `test`.
/// Returns what the connection cost from the handshake to the end of `test`.
pub fn with_peer<T: Send + 'static>(
    role: Role,
    config: Config,
    script: impl FnOnce(FloodPeer) -> T + Send + 'static,
    test: impl AsyncFnOnce(WsStream),
) -> (Cost, T) {
    // Shown when the test fails.
    println!("as {role:?}");
    run(async {
        let (ours, theirs) = small_tcp().await;
        let socket = theirs.into_std().unwrap();
        let theirs = TcpStream::from_std(socket.try_clone().unwrap()).unwrap();
        let meter = Meter::start();
        let ours = open(role, config, ours);
        let peer = RawPeer::handshake(TokioAdapter::new(theirs), role.other());
        let (ours, _) = future::join(ours, peer).await;
        socket.set_nonblocking(false).unwrap();
        let peer_end = FloodPeer {
            socket,
            role: role.other(),
        };
        let script = thread::spawn(move || script(peer_end));
        test(ours.unwrap()).await;
        let cost = meter.cost();
        (cost, script.join().unwrap())
    })
}

/// How many bytes of an endless stream were read after its handshake.
#[derive(Clone, Debug)]
pub struct BytesRead(Arc<AtomicUsize>);

impl BytesRead {
    pub fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}

/// Our end of a connection to a peer that sends `first`, and then `pattern` forever, faster than we
/// can read. Fails the test when more than `max` bytes are read in all: otherwise it might never
/// end.
pub async fn endless_peer(
    role: Role,
    config: Config,
    first: &[Frame],
    pattern: &[Frame],
    max: usize,
) -> (WsStream, BytesRead) {
    let sender = role.other();
    let head = match role {
        Role::Server => REQUEST.as_bytes().to_vec(),
        Role::Client => Vec::new(),
    };
    let read = Arc::new(AtomicUsize::new(0));
    let first = encode_frames(sender, first);
    let io = Endless {
        role,
        request: Vec::new(),
        head,
        position: 0,
        pattern_start: first.len(),
        data: [first, encode_frames(sender, pattern)].concat(),
        read: Arc::clone(&read),
        max,
    };
    (open(role, config, io).await.unwrap(), BytesRead(read))
}

/// A stream that does the handshake and then has the same bytes forever. It takes whatever is
/// written.
struct Endless {
    role: Role,
    /// What our end has written so far, until its request is complete.
    request: Vec<u8>,
    /// What is read before the data.
    head: Vec<u8>,
    /// What is read once, and from `pattern_start` on forever.
    data: Vec<u8>,
    pattern_start: usize,
    position: usize,
    read: Arc<AtomicUsize>,
    max: usize,
}

impl Endless {
    fn waits_for_request(&self) -> bool {
        self.role == Role::Client && !self.request.ends_with(b"\r\n\r\n")
    }
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.head.is_empty() {
            let len = self.head.len().min(buf.remaining());
            buf.put_slice(&self.head[..len]);
            self.head.drain(..len);
            return Poll::Ready(Ok(()));
        }
        if self.waits_for_request() {
            // The task that writes the request polls the handshake again.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let (read, max) = (self.read.load(Relaxed), self.max);
        assert!(read <= max, "{read} bytes were read, over {max}");
        while buf.remaining() > 0 {
            let rest = &self.data[self.position..];
            let len = rest.len().min(buf.remaining());
            buf.put_slice(&rest[..len]);
            self.read.fetch_add(len, Relaxed);
            self.position += len;
            if self.position == self.data.len() {
                self.position = self.pattern_start;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.waits_for_request() {
            self.request.extend(buf);
            if !self.waits_for_request() {
                self.head = response_to(&self.request);
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
