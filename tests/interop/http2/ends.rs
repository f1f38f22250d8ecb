//! Streams and futures that are dropped, and closes.

use futures::{AsyncReadExt, AsyncWriteExt, future};
use support::{handshake::exchange_and_close, poll_at_most, timeout};
use tokio::{runtime::Handle, sync::mpsc::unbounded_channel};
use ws_framed::{
    Acceptor, CloseCode, CloseFrame, CloseOutcome, ClosedBy, Connector, Rejection, WsErr,
    hyper::Http2,
};

use super::{LIMIT, Server, WAYS};

/// A close has its code, reason and side at both ends, and data before it is received.
#[tokio::test]
async fn close_has_outcome() {
    for way in WAYS {
        timeout(async {
            let mut server = Server::start(way, Acceptor::new()).await;
            let http2 = server.client().await;
            for is_server in [true, false] {
                let (mut ours, mut theirs) = server.pair(&http2).await;
                if is_server {
                    std::mem::swap(&mut ours, &mut theirs);
                }
                let handle = theirs.handle();
                ours.write_all(&vec![7; 100_000]).await.unwrap();
                let frame = CloseFrame::new(CloseCode::from(4001), "enough").unwrap();
                let mut received = Vec::new();
                let reading = theirs.read_to_end(&mut received);
                let (outcome, read) = future::join(ours.close_with(frame), reading).await;
                assert_eq!(read.unwrap(), 100_000);
                let clean = |by| CloseOutcome::Clean {
                    code: CloseCode::from(4001),
                    reason: "enough".to_owned(),
                    by,
                    our_code: Some(CloseCode::from(4001)),
                };
                assert_eq!(outcome.unwrap(), clean(ClosedBy::Us));
                assert_eq!(handle.closed().await, clean(ClosedBy::Peer));
            }
        })
        .await;
    }
}

/// Dropping a stream ends the peer's with an error, behind what was flushed, and nothing else on
/// the connection.
#[tokio::test]
async fn dropped_stream_ends_peer() {
    for way in WAYS {
        timeout(async {
            let mut server = Server::start(way, Acceptor::new()).await;
            let http2 = server.client().await;
            let (mut kept, mut kept_peer) = server.pair(&http2).await;
            for is_server in [true, false] {
                let (mut ours, mut theirs) = server.pair(&http2).await;
                if is_server {
                    std::mem::swap(&mut ours, &mut theirs);
                }
                ours.write_all(&vec![7; 100_000]).await.unwrap();
                ours.flush().await.unwrap();
                drop(ours);
                let mut received = Vec::new();
                let error = theirs.read_to_end(&mut received).await.unwrap_err();
                assert_eq!(WsErr::from(error), WsErr::UnexpectedEof);
                assert_eq!(received.len(), 100_000);
            }
            kept.write_all(b"on").await.unwrap();
            kept.flush().await.unwrap();
            kept_peer.read_exact(&mut [0; 2]).await.unwrap();
            exchange_and_close(kept, kept_peer).await;
        })
        .await;
    }
}

/// Dropping the future of `connect` resets the stream: the server drops its callback. The
/// connection and its other streams go on.
#[tokio::test]
async fn dropped_connect_resets_stream() {
    for way in WAYS {
        timeout(async {
            let (sender, mut callbacks) = unbounded_channel();
            let acceptor = Acceptor::new().on_request(move |request| {
                // Closed when the callback is dropped.
                let (guard, dropped) = futures::channel::oneshot::channel::<()>();
                let is_slow = request.uri().path() == "/slow";
                if is_slow {
                    sender.send(dropped).unwrap();
                }
                async move {
                    if is_slow {
                        future::pending::<()>().await;
                    }
                    drop(guard);
                    Ok::<_, Rejection>(())
                }
            });
            let mut server = Server::start(way, acceptor).await;
            let http2 = server.client().await;
            let connector = Connector::new();
            let url = server.url("/slow");
            let opening = Box::pin(http2.connect(&connector, url));
            let started = Box::pin(callbacks.recv());
            let dropped = match future::select(opening, started).await {
                future::Either::Left((result, _)) => panic!("{result:?}"),
                future::Either::Right((dropped, opening)) => {
                    drop(opening);
                    dropped.unwrap()
                }
            };
            assert!(dropped.await.is_err());
            let ((ours, ()), theirs) = server.pair(&http2).await;
            exchange_and_close(ours, theirs).await;
        })
        .await;
    }
}

/// Dropping the future of `connect` after any number of polls leaves no task at either end, and the
/// connection goes on.
#[tokio::test]
async fn dropped_connect_leaves_no_task() {
    for way in WAYS {
        timeout(async {
            let count_tasks = || Handle::current().metrics().num_alive_tasks();
            let mut server = Server::start(way, Acceptor::new()).await;
            let http2 = server.client().await;
            let tasks = count_tasks();
            let connector = Connector::new();
            let mut polls = 0;
            let mut is_open = false;
            while !is_open {
                polls += 1;
                let opening = http2.connect(&connector, server.url("/"));
                is_open = poll_at_most(polls, opening).await.is_some();
                while count_tasks() > tasks {
                    // A stream of the server ends when it is dropped, too.
                    while server.results.try_recv().is_ok() {}
                    tokio::task::yield_now().await;
                }
            }
            assert!(polls > 1, "{polls}");
            let (ours, theirs) = server.pair(&http2).await;
            exchange_and_close(ours, theirs).await;
        })
        .await;
    }
}

/// Dropping the future of `handshake` leaves a connection that can be used.
#[tokio::test]
async fn dropped_handshake_keeps_connection() {
    for way in WAYS {
        timeout(async {
            let mut server = Server::start(way, Acceptor::new()).await;
            let (sender, mut connection) = server.connect().await;
            let handshake = Http2::handshake(sender.clone(), &mut connection, LIMIT);
            assert!(poll_at_most(1, handshake).await.is_none());
            let handshake = Http2::handshake(sender, &mut connection, LIMIT);
            let http2 = handshake.await.unwrap();
            tokio::spawn(connection);
            let (ours, theirs) = server.pair(&http2).await;
            exchange_and_close(ours, theirs).await;
        })
        .await;
    }
}

/// When the client drops its handles, the connection ends at both ends.
#[tokio::test]
async fn dropped_client_ends_connection() {
    for way in WAYS {
        timeout(async {
            let count_tasks = || Handle::current().metrics().num_alive_tasks();
            let mut server = Server::start(way, Acceptor::new()).await;
            let tasks = count_tasks();
            let http2 = server.client().await;
            let pair = server.pair(&http2).await;
            let connector = Connector::new();
            let opening = http2.connect(&connector, server.url("/"));
            assert!(poll_at_most(1, opening).await.is_none());
            drop((http2, pair));
            while count_tasks() > tasks {
                while server.results.try_recv().is_ok() {}
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}
