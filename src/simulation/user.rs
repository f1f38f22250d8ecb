//! A user of one end: reads, writes, pauses, drops futures, converts its stream, closes.

mod talk;

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
};

use futures::{
    FutureExt, Sink, StreamExt,
    channel::oneshot,
    future::{Either, join, select},
    io::AsyncWrite,
};

use self::talk::Got;
use super::{
    agenda::Agenda,
    codec::{AnyCodec, Framing},
    executor::{Role, Spawner},
    invariants::{End, Oracle},
    rng::Rng,
    scenario::{Closing, Plan, Stage, Style, ViewKind},
};
use crate::{
    CloseCode, CloseFrame, CloseOutcome, WsEvent, WsFramed, WsHandle, WsMessages, WsStream,
};
use pharos::{Observable, ObserveConfig};

/// The parts of a run that all users share.
#[derive(Clone)]
pub(super) struct Env {
    pub(super) agenda: Agenda,
    pub(super) oracle: Rc<RefCell<Oracle>>,
    pub(super) spawner: Spawner,
}

/// The stream that a user holds.
enum View {
    Bytes(WsStream),
    Items(WsFramed<String, AnyCodec>),
    Messages(WsMessages),
    Gone,
}

pub(super) struct User {
    end: usize,
    plan: Plan,
    env: Env,
    rng: RefCell<Rng>,
    view: RefCell<View>,
    handle: WsHandle,
    /// Determines which user ends first.
    drop_order: RefCell<DropOrder>,
}

/// One user stays until the other one has ended.
pub(super) enum DropOrder {
    /// Signals the other user by being dropped.
    First(#[expect(dead_code, reason = "dropping it is the signal")] oneshot::Sender<()>),
    Second(oneshot::Receiver<()>),
}

impl DropOrder {
    pub(super) fn pair() -> [Self; 2] {
        let (sender, receiver) = oneshot::channel();
        [Self::First(sender), Self::Second(receiver)]
    }
}

impl User {
    pub(super) fn new(
        end: usize,
        plan: Plan,
        env: Env,
        rng: Rng,
        stream: WsStream,
        drop_order: DropOrder,
    ) -> Rc<Self> {
        Rc::new(Self {
            end,
            plan,
            env,
            rng: RefCell::new(rng),
            handle: stream.handle(),
            view: RefCell::new(View::Bytes(stream)),
            drop_order: RefCell::new(drop_order),
        })
    }

    /// Runs the user until its end, which drops the stream.
    pub(super) async fn live(self: Rc<Self>, stages: Vec<Stage>) {
        let last = stages.len() - 1;
        for (index, stage) in stages.into_iter().enumerate() {
            self.trace(|| format!("begins {stage:?}"));
            self.switch(stage.view);
            if !self.stage(stage, index == last).await {
                break;
            }
        }
        match self.plan.closing {
            Closing::Drops => self.leave(),
            Closing::With(code) => self.close_with(code).await,
            Closing::Waits | Closing::Polls | Closing::Asks(_) => {
                join(self.read_to_end(), self.close()).await;
            }
        }
        self.after_the_end().await;
    }

    fn switch(&self, kind: ViewKind) {
        let mut view = self.view.borrow_mut();
        let max_item = self.plan.content.max_item.max(10_000);
        let codec = |framing| AnyCodec::new(framing, max_item);
        let switched = |stream: WsStream| match kind {
            ViewKind::Bytes => View::Bytes(stream),
            ViewKind::Items(framing @ Framing::Messages) => {
                View::Items(stream.per_message(codec(framing)))
            }
            ViewKind::Items(framing) => View::Items(stream.framed(codec(framing))),
            ViewKind::Messages => View::Messages(stream.messages()),
        };
        *view = match (std::mem::replace(&mut *view, View::Gone), kind) {
            (View::Items(framed), ViewKind::Items(framing))
                if matches!(framed.codec(), AnyCodec::Messages(_))
                    == (framing == Framing::Messages) =>
            {
                View::Items(framed.map_codec(|_| codec(framing)))
            }
            (View::Bytes(stream), _) => switched(stream),
            (View::Items(framed), _) => switched(framed.into_stream()),
            (View::Messages(messages), _) => switched(messages.into_stream()),
            (View::Gone, _) => View::Gone,
        };
    }

    /// Runs one stage. Returns whether the next one follows.
    async fn stage(self: &Rc<Self>, stage: Stage, is_last: bool) -> bool {
        let style = stage.style[self.end];
        let is_parallel = matches!(style, Style::Together | Style::TwoTasks);
        let closes = is_last && is_parallel;
        let count = if closes {
            usize::MAX
        } else {
            stage.count[1 - self.end]
        };
        let (reads, writes) = (self.read(count), self.write(stage, closes));
        let (has_read, has_written) = match style {
            _ if closes && matches!(self.plan.closing, Closing::With(_) | Closing::Drops) => {
                match select(pin!(writes), pin!(reads)).await {
                    Either::Left((has_written, _)) => (true, has_written),
                    Either::Right((has_read, writes)) => (has_read, writes.await),
                }
            }
            Style::Together => join(reads, writes).await,
            Style::TwoTasks => {
                let me = Rc::clone(self);
                let work = async move { me.write(stage, closes).await };
                let name = format!("writer {}", self.end);
                let other = self.env.spawner.spawn(Role::User(self.end), name, work);
                (reads.await, other.await.unwrap())
            }
            Style::WritesFirst => {
                let has_written = writes.await;
                (reads.await, has_written)
            }
            Style::ReadsFirst => (reads.await, writes.await),
        };
        has_read && has_written
    }

    async fn poll_close(&self) {
        let closed = self.until_done(|cx| match &mut *self.view.borrow_mut() {
            View::Gone => unreachable!("it was dropped"),
            View::Bytes(stream) => Pin::new(stream).poll_close(cx),
            View::Items(framed) => Pin::new(framed).poll_close(cx).map_err(io::Error::from),
            View::Messages(messages) => Pin::new(messages).poll_close(cx).map_err(io::Error::from),
        });
        let closed = closed.await;
        self.trace(|| format!("closed: {closed:?}"));
        self.env.oracle.borrow_mut().flushed(self.end, &closed);
    }

    /// Closes as the plan says, as far as the writing task can.
    async fn close(&self) {
        match self.plan.closing {
            Closing::Polls => {
                self.will_close(CloseCode::NORMAL_CLOSURE);
                self.poll_close().await;
            }
            Closing::Asks(code) => {
                self.will_close(code);
                self.handle
                    .close(CloseFrame::new(code, "asked").unwrap())
                    .unwrap();
            }
            Closing::With(_) | Closing::Waits | Closing::Drops => {}
        }
    }

    fn will_close(&self, code: CloseCode) {
        self.trace(|| format!("closes with {code}"));
        self.env
            .oracle
            .borrow_mut()
            .asks_to_close(self.end, code.into());
    }

    async fn close_with(&self, code: CloseCode) {
        self.will_close(code);
        self.env.oracle.borrow_mut().ends[self.end].discards = true;
        let frame = CloseFrame::new(code, "with").unwrap();
        // No other task of this user holds the stream.
        let mut view = self.view.replace(View::Gone);
        loop {
            let closing = async {
                match &mut view {
                    View::Gone => unreachable!("it was dropped"),
                    View::Bytes(stream) => stream.close_with(frame.clone()).await,
                    View::Items(framed) => framed.close_with(frame.clone()).await,
                    View::Messages(messages) => messages.close_with(frame.clone()).await,
                }
            };
            let closed = self.maybe_cancel(closing).await;
            self.trace(|| format!("closed: {closed:?}"));
            let mut oracle = self.env.oracle.borrow_mut();
            match closed {
                Some(Ok(outcome)) => break oracle.ended_so(self.end, outcome),
                Some(Err(error)) => break oracle.flushed(self.end, &Err(error.into())),
                // Reading can complete the close, too, but must not return data after discarded
                // data.
                None if self.rng.borrow_mut().one_in(4) => break,
                None => {}
            }
        }
        self.view.replace(view);
        self.read_to_end().await;
    }

    fn leave(&self) {
        let mut oracle = self.env.oracle.borrow_mut();
        let account = &mut oracle.ends[self.end];
        account.is_gone |= account.ended.is_none();
        self.view.replace(View::Gone);
    }

    /// Checks that after the end no data arrives, and no call fails except for lost data.
    async fn after_the_end(&self) {
        if matches!(*self.view.borrow(), View::Gone) {
            return;
        }
        for _ in 0..3 {
            match poll_fn(|cx| self.poll_read(cx, 1)).await {
                Got::End(End::Clean) => {}
                // What a `close_with` discards does not include the error.
                Got::End(End::Failed(kind)) => panic!("user {}: {kind:?} after the end", self.end),
                Got::Some(_) => panic!("user {} read something after the end", self.end),
            }
        }
        self.flush().await;
        self.poll_close().await;
        self.env.oracle.borrow_mut().ends[self.end].has_flushed_after_end = true;
        let mut handle = self.handle.clone();
        let mut late = handle.observe(ObserveConfig::default()).await.unwrap();
        let event = late.next().now_or_never().flatten();
        assert!(
            matches!(event, Some(WsEvent::Closed)),
            "{event:?} after the end"
        );
        self.linger().await;
    }

    /// A connection that closed cleanly needs no further poll, so the peer must not have to wait
    /// until its stream is dropped.
    async fn linger(&self) {
        if matches!(self.handle.closed().await, CloseOutcome::Clean { .. }) {
            poll_fn(|cx| match &mut *self.drop_order.borrow_mut() {
                DropOrder::Second(other) => Pin::new(other).poll(cx).map(drop),
                DropOrder::First(_) => Poll::Ready(()),
            })
            .await;
        }
    }

    /// Polls until the future is ready. Some attempts are dropped before that.
    async fn until_done<T>(&self, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        loop {
            if let Some(done) = self.maybe_cancel(poll_fn(&mut poll)).await {
                return done;
            }
        }
    }

    /// Polls a few times, then drops the future.
    async fn maybe_cancel<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut polls_left = {
            let mut rng = self.rng.borrow_mut();
            rng.one_in(self.plan.cancels).then(|| rng.below(3))
        };
        let mut work = pin!(work);
        poll_fn(|cx| match (work.as_mut().poll(cx), &mut polls_left) {
            (Poll::Ready(done), _) => Poll::Ready(Some(done)),
            (Poll::Pending, Some(0)) => Poll::Ready(None),
            (Poll::Pending, Some(left)) => {
                *left -= 1;
                Poll::Pending
            }
            (Poll::Pending, None) => Poll::Pending,
        })
        .await
    }

    async fn think(&self) {
        let time = {
            let mut rng = self.rng.borrow_mut();
            rng.one_in(self.plan.think_one_in)
                .then(|| rng.time(self.plan.max_think_time))
        };
        if let Some(time) = time {
            self.env.agenda.sleep(time).await;
        }
    }

    fn trace(&self, text: impl FnOnce() -> String) {
        self.env
            .agenda
            .trace(|| format!("user {} {}", self.end, text()));
    }
}
