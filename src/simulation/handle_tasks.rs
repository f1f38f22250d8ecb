//! Tasks that hold a handle: they ping, close, observe, and wait for the end.

use super::{
    executor::{Role, Spawner},
    rng::Rng,
    scenario::{Profile, Scenario},
    user::Env,
};
use crate::{CloseFrame, WsErr, WsEvent, WsHandle};
use futures::StreamExt;
use pharos::{Observable, ObserveConfig};

/// How many events wait for one observer.
const QUEUE: usize = 128;

/// Starts the tasks that hold a handle of this end.
pub(super) fn spawn_handle_tasks(
    end: usize,
    scenario: &Scenario,
    env: &Env,
    handle: &WsHandle,
    rng: &mut Rng,
) {
    let plan = &scenario.users[end];
    let spawn = |name: String, work| drop(Spawner::spawn(&env.spawner, Role::Handle, name, work));
    spawn(
        format!("end of {end}"),
        Box::pin(wait(end, env.clone(), handle.clone())) as Work,
    );
    for number in 0..plan.observers {
        let quits = rng.one_in(4).then(|| rng.below(5));
        let work = observe(end, env.clone(), handle.clone(), rng.fork(), quits);
        spawn(format!("observer {number} of {end}"), Box::pin(work));
    }
    for &at in &plan.pings {
        let is_patient = scenario.profile != Profile::Lossy;
        let (env, handle) = (env.clone(), handle.clone());
        let work = async move {
            env.agenda.sleep(at).await;
            let result = handle.ping().await;
            env.agenda.trace(|| format!("ping of {end}: {result:?}"));
            match result {
                Ok(_) | Err(WsErr::Closed) => {}
                Err(WsErr::TimedOut(_)) => assert!(!is_patient, "a ping timed out"),
                Err(error) => panic!("a ping failed: {error}"),
            }
        };
        spawn(format!("ping of {end}"), Box::pin(work));
    }
    if let Some((at, code)) = plan.sudden_close {
        let (env, handle) = (env.clone(), handle.clone());
        let work = async move {
            env.agenda.sleep(at).await;
            env.agenda
                .trace(|| format!("a handle closes {end} with {code}"));
            env.oracle.borrow_mut().asks_to_close(end, code.into());
            handle
                .close(CloseFrame::new(code, "suddenly").unwrap())
                .unwrap();
        };
        spawn(format!("closer of {end}"), Box::pin(work));
    }
}

type Work = std::pin::Pin<Box<dyn Future<Output = ()>>>;

async fn wait(end: usize, env: Env, handle: WsHandle) {
    let outcome = handle.closed().await;
    env.agenda.trace(|| format!("end of {end}: {outcome:?}"));
    assert_eq!(handle.closed().await, outcome);
    env.oracle.borrow_mut().ended_so(end, outcome);
}

/// `Closed` comes once, and last.
async fn observe(end: usize, env: Env, mut handle: WsHandle, mut rng: Rng, quits: Option<usize>) {
    let mut events = handle.observe(ObserveConfig::default()).await.unwrap();
    let (mut seen, mut errors, mut close_frames) = (0, 0, 0);
    let mut is_closed = false;
    // The content of the next text. After the first one, all arrive in order, except those that
    // `Lagged` counts.
    let mut next_aside = None;
    while let Some(event) = events.next().await {
        env.agenda.trace(|| format!("event of {end}: {event:?}"));
        assert!(!is_closed, "{event:?} after Closed");
        match event {
            WsEvent::Closed => is_closed = true,
            WsEvent::Error(_) => errors += 1,
            WsEvent::CloseFrame(_) => close_frames += 1,
            WsEvent::Lagged(_) => next_aside = None,
            WsEvent::Text(aside) => {
                let aside: usize = aside.parse().unwrap();
                let expected = next_aside.unwrap_or(aside);
                assert_eq!(aside, expected, "end {end} got another text");
                next_aside = Some(aside + 1);
            }
            _ => {}
        }
        seen += 1;
        if quits.is_some_and(|most| seen > most) {
            return;
        }
        if rng.one_in(4) {
            env.agenda
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
