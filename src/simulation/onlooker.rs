//! Those who hold a handle: they ping, close, observe, and wait for the end.

use super::{
    executor::{Role, Spawner},
    rng::Rng,
    scenario::{Class, Scenario},
    user::World,
};
use crate::{CloseFrame, WsErr, WsEvent, WsHandle};
use futures::StreamExt;
use pharos::{Observable, ObserveConfig};

/// How many events wait for one observer.
const QUEUE: usize = 128;

/// Starts all who look on at this end.
pub(super) fn look_on(
    end: usize,
    scenario: &Scenario,
    world: &World,
    handle: &WsHandle,
    rng: &mut Rng,
) {
    let plan = &scenario.users[end];
    let spawn =
        |name: String, work| drop(Spawner::spawn(&world.spawner, Role::Onlooker, name, work));
    spawn(
        format!("end of {end}"),
        Box::pin(wait(end, world.clone(), handle.clone())) as Work,
    );
    for number in 0..plan.observers {
        let quits = rng.one_in(4).then(|| rng.below(5));
        let work = observe(end, world.clone(), handle.clone(), rng.fork(), quits);
        spawn(format!("observer {number} of {end}"), Box::pin(work));
    }
    for &at in &plan.pings {
        let is_patient = scenario.class != Class::Rough;
        let (world, handle) = (world.clone(), handle.clone());
        let work = async move {
            world.agenda.sleep(at).await;
            let result = handle.ping().await;
            world.agenda.trace(|| format!("ping of {end}: {result:?}"));
            match result {
                Ok(_) | Err(WsErr::Closed) => {}
                Err(WsErr::TimedOut(_)) => assert!(!is_patient, "a ping timed out"),
                Err(error) => panic!("a ping failed: {error}"),
            }
        };
        spawn(format!("ping of {end}"), Box::pin(work));
    }
    if let Some((at, code)) = plan.sudden_close {
        let (world, handle) = (world.clone(), handle.clone());
        let work = async move {
            world.agenda.sleep(at).await;
            world
                .agenda
                .trace(|| format!("a handle closes {end} with {code}"));
            world.ledger.borrow_mut().asks_to_close(end, code.into());
            handle
                .close(CloseFrame::new(code, "suddenly").unwrap())
                .unwrap();
        };
        spawn(format!("closer of {end}"), Box::pin(work));
    }
}

type Work = std::pin::Pin<Box<dyn Future<Output = ()>>>;

async fn wait(end: usize, world: World, handle: WsHandle) {
    let outcome = handle.closed().await;
    world.agenda.trace(|| format!("end of {end}: {outcome:?}"));
    assert_eq!(handle.closed().await, outcome);
    world.ledger.borrow_mut().ended_so(end, outcome);
}

/// `Closed` comes once, and last.
async fn observe(
    end: usize,
    world: World,
    mut handle: WsHandle,
    mut rng: Rng,
    quits: Option<usize>,
) {
    let mut events = handle.observe(ObserveConfig::default()).await.unwrap();
    let (mut seen, mut errors, mut close_frames) = (0, 0, 0);
    let mut is_closed = false;
    // What the next text says: from the first on that it hears, all come, in order, but for those
    // that are counted.
    let mut next_aside = None;
    while let Some(event) = events.next().await {
        world.agenda.trace(|| format!("event of {end}: {event:?}"));
        assert!(!is_closed, "{event:?} after Closed");
        match event {
            WsEvent::Closed => is_closed = true,
            WsEvent::Error(_) => errors += 1,
            WsEvent::CloseFrame(_) => close_frames += 1,
            WsEvent::Lagged(_) => next_aside = None,
            WsEvent::Text(aside) => {
                let aside: usize = aside.parse().unwrap();
                let expected = next_aside.unwrap_or(aside);
                assert_eq!(aside, expected, "end {end} was told another text");
                next_aside = Some(aside + 1);
            }
            _ => {}
        }
        seen += 1;
        if quits.is_some_and(|most| seen > most) {
            return;
        }
        if rng.one_in(4) {
            world
                .agenda
                .sleep(rng.time(std::time::Duration::from_millis(20)))
                .await;
        }
    }
    // A queue that is full when the stream is dropped has no room for `Closed`.
    assert!(
        is_closed || seen >= QUEUE,
        "the events ended without Closed"
    );
    assert!(
        errors <= 1 && close_frames <= 1,
        "{errors} errors, {close_frames} close frames"
    );
}
