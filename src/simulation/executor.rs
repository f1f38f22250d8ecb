//! Runs the tasks, one poll at a time, and only those that were woken.

use std::{
    cell::RefCell,
    fmt::Write as _,
    future::Future,
    mem,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Wake, Waker},
    time::Duration,
};

use futures::channel::oneshot;

use super::{agenda::Agenda, rng::Rng};
use crate::time::virtual_time;

/// More polls than a correct run takes. Above it, a task wakes itself forever.
const MAX_POLLS: u64 = 1_000_000;

/// The purpose of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The task holds the stream of this end, or a half of it.
    User(usize),
    /// The task holds handles only.
    Handle,
}

struct Task {
    name: String,
    role: Role,
    flag: Arc<Flag>,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

#[derive(Default)]
struct Flag {
    is_woken: AtomicBool,
    wakes: AtomicU64,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Relaxed);
        self.wakes.fetch_add(1, Relaxed);
    }
}

/// Starts tasks, from within tasks too.
#[derive(Clone, Default)]
pub(super) struct Spawner(Rc<RefCell<Vec<Task>>>);

impl Spawner {
    /// Starts a task. The receiver gets its result, unless the task is killed.
    pub(super) fn spawn<T: 'static>(
        &self,
        role: Role,
        name: impl Into<String>,
        work: impl Future<Output = T> + 'static,
    ) -> oneshot::Receiver<T> {
        let (sender, receiver) = oneshot::channel();
        let flag = Arc::new(Flag::default());
        Waker::from(Arc::clone(&flag)).wake();
        self.0.borrow_mut().push(Task {
            name: name.into(),
            role,
            flag,
            future: Box::pin(async move {
                // The receiver may be dropped.
                let _ = sender.send(work.await);
            }),
        });
        receiver
    }
}

/// How tasks are scheduled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// The run must complete without any timer of the library.
    pub(super) is_prompt: bool,
    /// One poll in so many goes to a task that was not woken. Zero for none.
    pub(super) spurious: usize,
    /// The tasks that hold this end's stream are dropped after so many polls.
    pub(super) kill: Option<(usize, u64)>,
}

pub(super) struct Executor {
    tasks: Vec<Task>,
    spawner: Spawner,
    agenda: Agenda,
    rng: Rng,
    schedule: Schedule,
    polls: u64,
    killed: Option<usize>,
}

impl Executor {
    pub(super) fn new(agenda: Agenda, rng: Rng, schedule: Schedule) -> Self {
        Self {
            tasks: Vec::new(),
            spawner: Spawner::default(),
            agenda,
            rng,
            schedule,
            polls: 0,
            killed: None,
        }
    }

    pub(super) fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    pub(super) fn has_killed(&self, end: usize) -> bool {
        self.killed == Some(end)
    }

    pub(super) fn polls(&self) -> u64 {
        self.polls
    }

    /// Runs until all tasks have finished. `check` is called after every poll.
    ///
    /// # Panics
    /// If a task would wait forever, or wakes itself forever.
    pub(super) fn run(&mut self, check: impl Fn()) {
        loop {
            self.tasks.append(&mut self.spawner.0.borrow_mut());
            self.kill();
            if self.tasks.is_empty() {
                return;
            }
            match self.next_task() {
                Some(index) => self.poll(index),
                None => self.pass_time(),
            }
            check();
        }
    }

    fn next_task(&mut self) -> Option<usize> {
        if !self.tasks.is_empty() && self.rng.one_in(self.schedule.spurious) {
            return Some(self.rng.below(self.tasks.len()));
        }
        let is_woken = |(index, task): (usize, &Task)| {
            let is_woken = task.flag.is_woken.load(Relaxed);
            is_woken.then_some(index)
        };
        let woken: Vec<_> = self.tasks.iter().enumerate().filter_map(is_woken).collect();
        (!woken.is_empty()).then(|| self.rng.pick(&woken))
    }

    fn poll(&mut self, index: usize) {
        self.polls += 1;
        assert!(
            self.polls < MAX_POLLS,
            "a task wakes itself forever: {}",
            self.unfinished_tasks(),
        );
        let task = &mut self.tasks[index];
        self.agenda.trace(|| format!("poll {}", task.name));
        task.flag.is_woken.store(false, Relaxed);
        let waker = Waker::from(Arc::clone(&task.flag));
        let poll = task.future.as_mut().poll(&mut Context::from_waker(&waker));
        if poll.is_ready() {
            self.agenda.trace(|| format!("done {}", task.name));
            let task = self.tasks.swap_remove(index);
            drop(task);
        }
        if self.rng.one_in(4) {
            // A poll takes time, so that events of the network occur between polls.
            let step = Duration::from_micros(self.rng.within(1, 20) as u64);
            self.agenda.advance_to(self.agenda.now() + step);
        }
    }

    /// Advances the clock, since no task can run.
    fn pass_time(&mut self) {
        let mut next = self.agenda.next();
        if !self.schedule.is_prompt {
            let timer = virtual_time::next_timer().map(|after| self.agenda.now() + after);
            next = next.into_iter().chain(timer).min();
        }
        let Some(next) = next else {
            let left = self.unfinished_tasks();
            panic!("a task waits forever, or for a timer that must not matter: {left}");
        };
        self.agenda.advance_to(next);
    }

    fn kill(&mut self) {
        if let Some((end, _)) = self.schedule.kill.filter(|(_, after)| self.polls >= *after) {
            self.schedule.kill = None;
            self.killed = Some(end);
            self.agenda.trace(|| format!("user {end} is killed"));
            let (killed, left): (Vec<_>, _) = mem::take(&mut self.tasks)
                .into_iter()
                .partition(|task| task.role == Role::User(end));
            self.tasks = left;
            drop(killed);
        }
    }

    fn unfinished_tasks(&self) -> String {
        let mut list = String::new();
        for task in &self.tasks {
            let wakes = task.flag.wakes.load(Relaxed);
            write!(list, "{} (woken {wakes} times), ", task.name).unwrap();
        }
        list
    }
}
