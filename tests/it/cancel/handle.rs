//! Futures of a handle, and of observers, that are dropped after any number of polls.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use futures::{
    AsyncReadExt, AsyncWriteExt,
    executor::block_on,
    future::{self, Either},
};
use support::{
    Frame, ROLES, Setup,
    cancel::{framed, on_each_poll},
    config_without_keepalive, describe,
    frame::PING,
    observe, poll_times, read_to_end, timeout,
};
use ws_framed::{
    CloseOutcome, ClosedBy, WsErr, WsEvent,
    pharos::{Observable, ObserveConfig},
};

/// A ping that is dropped, before or after it was sent, disturbs neither later pings nor data.
#[test]
fn dropped_ping_disturbs_nothing() {
    on_each_poll(async |polls, mut ours, mut peer| {
        let handle = ours.handle();
        // The connection is polled in between, so the ping may be sent before it is dropped.
        let mut buf = [0; 8];
        {
            let dropped = future::join(handle.ping(), ours.read(&mut buf));
            assert!(poll_times(polls, dropped).is_none());
        }
        let script = async {
            loop {
                let frame = peer.next().await.unwrap();
                if frame.opcode != PING {
                    break frame;
                }
                peer.send(Frame::pong(frame.payload)).await;
            }
        };
        let completing = async {
            match future::select(pin!(handle.ping()), ours.read(&mut buf)).await {
                Either::Left((pinged, _)) => pinged.unwrap(),
                Either::Right((read, _)) => panic!("no data was sent: {read:?}"),
            };
            ours.write_all(b"end").await.unwrap();
            ours.flush().await.unwrap();
        };
        let (last, ()) = future::join(script, completing).await;
        assert_eq!(last, Frame::binary("end"));
        polls > 60
    });
}

/// A `closed` that is dropped after any number of polls can be repeated.
#[test]
fn dropped_closed_can_be_repeated() {
    on_each_poll(async |polls, mut ours, mut peer| {
        let handle = ours.handle();
        assert!(poll_times(polls, handle.closed()).is_none());
        peer.send(Frame::close(1000, "")).await;
        let (outcome, (_, end)) = future::join(handle.closed(), read_to_end(&mut ours)).await;
        end.unwrap();
        assert!(matches!(
            outcome,
            CloseOutcome::Clean {
                by: ClosedBy::Peer,
                ..
            }
        ));
        polls > 3
    });
}

/// What is observed.
#[derive(Clone, Copy, Debug)]
enum Observed {
    Bytes,
    Items,
    Handle,
}

/// Observes through a filter, polls so many times, and drops the future or the events.
fn observe_and_drop(
    polls: usize,
    observed: &mut impl Observable<WsEvent, Error = WsErr>,
    calls: &Calls,
) {
    let calls = Arc::clone(calls);
    let options = ObserveConfig::default().filter_boxed(move |_| {
        calls.fetch_add(1, Relaxed);
        true
    });
    let events = poll_times(polls, observed.observe(options));
    assert_eq!(events.is_some(), polls > 0);
    drop(events.map(Result::unwrap));
}

/// How often a filter was called.
type Calls = Arc<AtomicUsize>;

/// An `observe` that is dropped, or whose events are, leaves no observer. Other observers get all
/// events.
#[test]
fn dropped_observe_registers_no_observer() {
    for observed in [Observed::Bytes, Observed::Items, Observed::Handle] {
        for polls in 0..2 {
            for role in ROLES {
                println!("{observed:?}, {polls} polls, as {role:?}");
                block_on(timeout(async {
                    let (mut ours, mut peer) =
                        Setup::OneByte(role).open(config_without_keepalive()).await;
                    let mut handle = ours.handle();
                    let mut events = observe(&mut handle).await;
                    let calls = Calls::default();
                    match observed {
                        Observed::Bytes => observe_and_drop(polls, &mut ours, &calls),
                        Observed::Handle => observe_and_drop(polls, &mut handle, &calls),
                        Observed::Items => {
                            let mut items = framed(ours);
                            observe_and_drop(polls, &mut items, &calls);
                            ours = items.into_stream();
                        }
                    }
                    peer.send_all([Frame::ping("?"), Frame::binary("data")])
                        .await;
                    peer.send(Frame::close(1000, "")).await;
                    let (data, end) = read_to_end(&mut ours).await;
                    end.unwrap();
                    assert_eq!(data, b"data");
                    assert_eq!(describe(&mut events), ["ping ?", "close 1000", "closed"]);
                    assert_eq!(calls.load(Relaxed), 0, "no observer is left");
                }));
            }
        }
    }
}

/// An observer gets all events from the call of `observe` on, however late its future is polled.
#[test]
fn unpolled_observe_misses_no_event() {
    for role in ROLES {
        block_on(timeout(async {
            let (mut ours, mut peer) = Setup::OneByte(role).open(config_without_keepalive()).await;
            let mut handle = ours.handle();
            let observing = handle.observe(ObserveConfig::default());
            peer.send_all([Frame::ping("early"), Frame::close(1000, "")])
                .await;
            read_to_end(&mut ours).await.1.unwrap();
            let mut events = observing.await.unwrap();
            assert_eq!(
                describe(&mut events),
                ["ping early", "close 1000", "closed"]
            );
        }));
    }
}
