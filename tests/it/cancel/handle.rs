//! The futures of a handle, and those that observe, may be dropped at any point: the link goes on without them.

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

#[test]
fn a_ping_may_be_forgotten() {
    on_each_poll(async |polls, mut ours, mut peer| {
        let handle = ours.handle();
        // The link is polled in between: the ping may leave, and be forgotten after that.
        let mut buf = [0; 8];
        {
            let forgotten = future::join(handle.ping(), ours.read(&mut buf));
            assert!(poll_times(polls, forgotten).is_none());
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
        let others = async {
            match future::select(pin!(handle.ping()), ours.read(&mut buf)).await {
                Either::Left((pinged, _)) => pinged.unwrap(),
                Either::Right((read, _)) => panic!("there is nothing to read: {read:?}"),
            };
            ours.write_all(b"end").await.unwrap();
            ours.flush().await.unwrap();
        };
        let (last, ()) = future::join(script, others).await;
        assert_eq!(last, Frame::binary("end"));
        polls > 60
    });
}

#[test]
fn waiting_for_the_end_may_be_forgotten() {
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

/// Who is asked to observe.
#[derive(Clone, Copy, Debug)]
enum Observed {
    Bytes,
    Items,
    Handle,
}

/// Asks to observe through a filter, polls so many times, and forgets about it.
fn forget(polls: usize, observed: &mut impl Observable<WsEvent, Error = WsErr>, asked: &Asked) {
    let asked = Arc::clone(asked);
    let options = ObserveConfig::default().filter_boxed(move |_| {
        asked.fetch_add(1, Relaxed);
        true
    });
    let events = poll_times(polls, observed.observe(options));
    assert_eq!(events.is_some(), polls > 0);
    drop(events.map(Result::unwrap));
}

/// How often a filter was asked.
type Asked = Arc<AtomicUsize>;

#[test]
fn observing_may_be_forgotten() {
    for observed in [Observed::Bytes, Observed::Items, Observed::Handle] {
        for polls in 0..2 {
            for role in ROLES {
                println!("{observed:?}, {polls} polls, as {role:?}");
                block_on(timeout(async {
                    let (mut ours, mut peer) =
                        Setup::OneByte(role).open(config_without_keepalive()).await;
                    let mut handle = ours.handle();
                    let mut events = observe(&mut handle).await;
                    let asked = Asked::default();
                    match observed {
                        Observed::Bytes => forget(polls, &mut ours, &asked),
                        Observed::Handle => forget(polls, &mut handle, &asked),
                        Observed::Items => {
                            let mut items = framed(ours);
                            forget(polls, &mut items, &asked);
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
                    assert_eq!(asked.load(Relaxed), 0, "nobody is there to be told");
                }));
            }
        }
    }
}

/// Whoever does not poll the future at once misses nothing.
#[test]
fn observing_begins_with_the_call() {
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
