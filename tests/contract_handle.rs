//! Handles: ping, close and the outcome, from anywhere.

mod common;

use std::{pin::pin, time::Duration};

use common::{
    PROMPT, Place, QUIET, everywhere, observe,
    raw::{Frame, PING, Role},
    read_to_end, run_in, settings, settle, told, while_reading,
};
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, StreamExt, future};
use ws_framed::{CloseCode, CloseFrame, CloseOutcome, ClosedBy, Lines, WsErr};

#[test]
fn a_ping_is_answered_with_its_round_trip_time() {
    everywhere(&settings(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let handle = ours.handle();
        assert_eq!(handle.stats().last_round_trip, None);
        let script = async {
            let ping = peer.next().await.unwrap();
            assert_eq!(ping.opcode, PING);
            peer.send(Frame::pong("unasked")).await;
            peer.send(Frame::pong(ping.payload)).await;
            handle.clone()
        };
        let asking = async { future::join(handle.ping(), script).await.0 };
        let time = while_reading(&mut ours, asking).await.unwrap();
        let stats = handle.stats();
        assert_eq!((stats.pings_sent, stats.pongs_received), (1, 2));
        assert_eq!(stats.last_round_trip, Some(time));
        assert_eq!(told(&mut events).len(), 2, "both pongs are events");
    });
}

#[test]
fn one_pong_answers_all_pings_before_it() {
    everywhere(&settings(), async |mut ours, mut peer| {
        let handle = ours.handle();
        let pings = future::join_all((0..3).map(|_| handle.ping()));
        let script = async {
            peer.next().await.unwrap();
            peer.next().await.unwrap();
            let last = peer.next().await.unwrap();
            peer.send(Frame::pong(last.payload)).await;
        };
        let (times, ()) = while_reading(&mut ours, future::join(pings, script)).await;
        assert!(times.iter().all(Result::is_ok), "{times:?}");
    });
}

#[test]
fn a_ping_has_a_deadline_and_the_link_goes_on() {
    let config = settings().ping_timeout(Duration::from_millis(50));
    everywhere(&config, async |mut ours, mut peer| {
        let handle = ours.handle();
        let answer = while_reading(&mut ours, handle.ping()).await;
        assert!(matches!(answer, Err(WsErr::TimedOut(_))), "{answer:?}");
        // The pong is late, and no harm.
        let ping = peer.next().await.unwrap();
        peer.send(Frame::pong(ping.payload)).await;
        peer.send(Frame::binary("x")).await;
        ours.read_exact(&mut [0]).await.unwrap();
    });
}

#[test]
fn a_view_that_is_dropped_lets_nobody_wait() {
    everywhere(&settings(), async |mut ours, mut peer| {
        let handle = ours.handle();
        let sent = handle.clone();
        let (answer, closed) = (sent.ping(), handle.closed());
        let dropping = async move {
            while_reading(&mut ours, peer.next()).await.expect("a ping");
            drop(ours);
        };
        let (answer, closed, ()) = future::join3(answer, closed, dropping).await;
        assert!(matches!(answer, Err(WsErr::Closed)), "{answer:?}");
        assert_eq!(closed, CloseOutcome::Lost);
        assert!(matches!(handle.ping().await, Err(WsErr::Closed)));
    });
}

#[test]
fn a_link_that_closes_lets_no_ping_wait() {
    everywhere(&settings(), async |mut ours, mut peer| {
        let handle = ours.handle();
        let script = async {
            peer.next().await.expect("a ping");
            peer.send(Frame::close(1000, "")).await;
        };
        let (answer, (_, end), ()) =
            future::join3(handle.ping(), read_to_end(&mut ours), script).await;
        end.unwrap();
        assert!(matches!(answer, Err(WsErr::Closed)), "{answer:?}");
    });
}

#[test]
fn a_handle_closes_the_link_under_a_reader() {
    everywhere(&settings(), async |mut ours, mut peer| {
        let handle = ours.handle();
        ours.write_all(b"the last").await.unwrap();
        let frame = CloseFrame::new(CloseCode::from(4001), "from afar").unwrap();
        let script = async {
            handle.close(frame).unwrap();
            handle.close(CloseFrame::normal()).unwrap();
            let (data, code, reason) = peer.until_close().await;
            assert_eq!((data.as_slice(), code), (&b"the last"[..], 4001));
            assert_eq!(reason, "from afar");
            peer.send(Frame::close(1000, "")).await;
            handle.closed().await
        };
        let ((_, end), outcome) = future::join(read_to_end(&mut ours), script).await;
        end.unwrap();
        assert!(matches!(
            outcome,
            CloseOutcome::Clean {
                by: ClosedBy::Us,
                ..
            }
        ));
        peer.expect_end().await;
    });
}

#[test]
fn a_handle_closes_from_another_task() {
    let places = [Place::Tcp(Role::Server), Place::Tcp(Role::Client)];
    run_in(&places, &settings(), async |mut ours, mut peer| {
        let handle = ours.handle();
        let reading = tokio::spawn(async move { read_to_end(&mut ours).await.1 });
        let ping = tokio::spawn({
            let handle = handle.clone();
            async move { handle.ping().await }
        });
        let frame = peer.next().await.unwrap();
        peer.send(Frame::pong(frame.payload)).await;
        ping.await.unwrap().unwrap();
        handle.close(CloseFrame::normal()).unwrap();
        peer.expect(Frame::close(1000, "")).await;
        peer.send(Frame::close(1000, "")).await;
        reading.await.unwrap().unwrap();
        assert!(matches!(handle.closed().await, CloseOutcome::Clean { .. }));
    });
}

#[test]
fn a_handle_refuses_a_code_that_may_not_be_sent() {
    everywhere(&settings(), async |ours, _peer| {
        let frame = CloseFrame::from_peer(CloseCode::NO_STATUS, "");
        let error = ours.handle().close(frame).unwrap_err();
        assert!(matches!(
            error,
            WsErr::InvalidCloseCode(CloseCode::NO_STATUS)
        ));
    });
}

#[test]
fn a_handle_wakes_a_link_that_waits() {
    run_in(&QUIET, &settings(), async |mut ours, mut peer| {
        let handle = ours.handle();
        let mut buf = [0; 8];
        let mut read = pin!(ours.read(&mut buf));
        assert!(settle(read.as_mut()).is_pending());
        handle.close(CloseFrame::normal()).unwrap();
        // Driven by an executor that polls only what was woken.
        let closing = async {
            peer.expect(Frame::close(1000, "")).await;
            peer.send(Frame::close(1000, "")).await;
        };
        let (read, ()) = future::join(read, closing).await;
        assert_eq!(read.unwrap(), 0);
    });
}

#[test]
fn a_peer_that_sends_without_pause_keeps_no_ping_and_no_close_back() {
    run_in(&PROMPT, &settings(), async |mut ours, mut peer| {
        let handle = ours.handle();
        for _ in 0..8 {
            peer.send(Frame::binary("data")).await;
        }
        let mut buf = [0; 4];
        let mut ping = pin!(handle.ping());
        assert!(settle(ping.as_mut()).is_pending());
        // There is always something to read, so none of these reads waits.
        ours.read_exact(&mut buf).await.unwrap();
        assert_eq!(peer.next().await.unwrap().opcode, PING);
        handle.close(CloseFrame::normal()).unwrap();
        ours.read_exact(&mut buf).await.unwrap();
        peer.expect(Frame::close(1000, "")).await;
    });
}

#[test]
fn a_handle_outlives_the_change_of_views() {
    everywhere(&settings(), async |ours, mut peer| {
        let handle = ours.handle();
        let framed = ours.framed(Lines::new(100));
        peer.send(Frame::binary("line\n")).await;
        let (sink, mut items) = framed.split::<String>();
        assert_eq!(items.next().await.unwrap().unwrap(), "line");
        let script = async {
            handle.close(CloseFrame::normal()).unwrap();
            peer.expect(Frame::close(1000, "")).await;
            peer.send(Frame::close(1000, "")).await;
            handle.closed().await
        };
        let (item, outcome) = future::join(items.next(), script).await;
        assert!(item.is_none());
        assert!(matches!(outcome, CloseOutcome::Clean { .. }));
        drop((sink, items));
        assert_eq!(handle.closed().await, outcome);
        assert_eq!(handle.stats().bytes_received, 5);
    });
}

#[test]
fn nothing_happens_on_a_link_that_nobody_polls() {
    run_in(&QUIET, &settings(), async |ours, mut peer| {
        let handle = ours.handle();
        handle.close(CloseFrame::normal()).unwrap();
        assert!(settle(pin!(handle.closed())).is_pending());
        assert!(peer.next().now_or_never().is_none());
        drop(ours);
        assert_eq!(handle.closed().await, CloseOutcome::Lost);
    });
}
