//! What one message for each item costs: memory with a peer that never reads, and writes.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use async_tungstenite::tokio::TokioAdapter;
use futures::{FutureExt, SinkExt, future};
use support::{
    ROLES, RawPeer, Role,
    alloc::{exclusive, measure},
    config_without_keepalive,
    handshake::open,
    run,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_framed::{LengthDelimited, WsStream, bytes::Bytes};

/// However much is fed to a peer that never reads.
#[test]
fn a_peer_that_never_reads_costs_little() {
    let _alone = exclusive();
    for role in ROLES {
        run(async {
            let (ours, theirs) = tokio::io::duplex(4096);
            let config = config_without_keepalive().max_send_message_len(1024);
            let theirs = TokioAdapter::new(theirs);
            let peer = RawPeer::handshake(theirs, role.other());
            let (ours, _peer) = future::join(open(role, config, ours), peer).await;
            let mut ours = ours.unwrap().per_message(LengthDelimited::new(1024));
            let item = [7; 1000];
            let (fed, cost) = measure(|| {
                let mut fed = 0;
                while let Some(sent) = ours.feed_ref(&item).now_or_never() {
                    sent.unwrap();
                    fed += 1;
                }
                for _ in 0..1000 {
                    assert!(ours.feed_ref(&item).now_or_never().is_none());
                }
                fed
            });
            assert!((4..12).contains(&fed), "{fed} items");
            // The harness starts other tests meanwhile. What was refused would be a megabyte.
            assert!(cost.peak < 128 * 1024, "{cost:?}");
        });
    }
}

/// Counts how often it is written to.
struct Counted<S> {
    io: S,
    writes: Arc<AtomicUsize>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.writes.fetch_add(1, Relaxed);
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// How often our end writes during `script`.
fn writes_of(role: Role, script: impl AsyncFnOnce(WsStream)) -> usize {
    run(async {
        let writes = Arc::new(AtomicUsize::new(0));
        let (io, theirs) = tokio::io::duplex(1 << 20);
        let counted = Arc::clone(&writes);
        let io = Counted {
            io,
            writes: counted,
        };
        let theirs = TokioAdapter::new(theirs);
        let peer = RawPeer::handshake(theirs, role.other());
        let (ours, _peer) = future::join(open(role, config_without_keepalive(), io), peer).await;
        let before = writes.load(Relaxed);
        script(ours.unwrap()).await;
        writes.load(Relaxed) - before
    })
}

#[test]
fn many_small_items_are_few_writes() {
    let _alone = exclusive();
    for role in ROLES {
        let fed = writes_of(role, async |ours| {
            let mut ours = ours.per_message(LengthDelimited::new(100));
            for _ in 0..1000 {
                ours.feed_ref(&[7; 16]).await.unwrap();
            }
            ours.flush().await.unwrap();
        });
        assert!(fed <= 6, "{fed} writes of at most 24 KiB");
        let sent = writes_of(role, async |ours| {
            let mut ours = ours.per_message(LengthDelimited::new(100));
            for _ in 0..10 {
                ours.send(Bytes::from_static(b"item")).await.unwrap();
            }
        });
        assert_eq!(sent, 10, "a flush is one write");
    }
}

#[test]
fn what_is_packed_is_a_write_for_each_message() {
    let _alone = exclusive();
    for role in ROLES {
        let writes = writes_of(role, async |ours| {
            let mut ours = ours.framed(LengthDelimited::new(1000));
            for _ in 0..300 {
                ours.feed_ref(&[7; 1000]).await.unwrap();
            }
            ours.flush().await.unwrap();
        });
        assert_eq!(writes, 5, "of 64 KiB, the last of what is left");
    }
}
