//! A writer has given up a peer that takes nothing: the link has ended for everybody but a reader.

#![cfg(all(feature = "tokio", feature = "async-tungstenite"))]

mod common;

use std::{
    io::{self, ErrorKind},
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use common::{Place, inside, observe, run_in, told};
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt};
use ws_framed::{CloseOutcome, Config, Keepalive, LengthDelimited, WsErr, WsStream};

const SOON: Duration = Duration::from_millis(30);

const PLACES: [Place; 5] = common::QUIET;

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
        error.kind() == ErrorKind::BrokenPipe && matches!(inside(&error), WsErr::Closed)
    })
}

#[test]
fn writing_after_that_is_a_broken_pipe_and_flush_says_once_what_is_lost() {
    run_in(&PLACES, &impatient(), async |mut ours, _peer| {
        let mut events = observe(&mut ours).await;
        give_up(&mut ours).await;
        assert_eq!(told(&mut events), ["error TimedOut", "closed"]);
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
    run_in(&PLACES, &impatient(), async |mut ours, _peer| {
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
    run_in(&PLACES, &impatient(), async |mut ours, _peer| {
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
