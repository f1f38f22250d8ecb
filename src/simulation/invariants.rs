//! The invariants of a run.

mod stats;
mod violation;

use std::{io, ops::Range};

use super::{
    codec::Content,
    scenario::{Closing, Profile, Scenario},
    speaker::Said,
};
use crate::{CloseCode, CloseOutcome, ClosedBy, Stats};

/// How reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Clean,
    Failed(io::ErrorKind),
}

/// What one end has sent and received. Lengths are in bytes; items include their framing.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct EndState {
    pub(super) items_written: usize,
    /// The positions of its items among the bytes that it wrote.
    pub(super) items: Vec<Range<usize>>,
    pub(super) written: usize,
    /// The length of written data at the last successful flush or close.
    pub(super) flushed: usize,
    /// A flush or close has failed.
    pub(super) flush_errors: usize,
    pub(super) items_received: usize,
    pub(super) received: usize,
    /// A line arrived without its `\n`, which is valid only at the end.
    pub(super) is_cut_short: bool,
    /// The code of the first close that was asked for.
    pub(super) asked: Option<u16>,
    /// It called `close_with`, which discards later data.
    pub(super) discards: bool,
    /// It dropped its stream before the end.
    pub(super) is_gone: bool,
    pub(super) ended: Option<End>,
    /// It has flushed after the end.
    pub(super) has_flushed_after_end: bool,
    pub(super) outcome: Option<CloseOutcome>,
    pub(super) stats: Stats,
    pub(super) said: Said,
}

/// The state of both ends, and the checks of it.
#[derive(Debug)]
pub(super) struct Oracle {
    pub(super) ends: [EndState; 2],
    contents: [Content; 2],
}

impl Oracle {
    pub(super) fn new(contents: [Content; 2]) -> Self {
        Self {
            ends: Default::default(),
            contents,
        }
    }

    /// Bytes arrive once, in order, as they were sent.
    pub(super) fn received_bytes(&mut self, end: usize, bytes: &[u8]) {
        let from = self.ends[end].received;
        assert!(!bytes.is_empty(), "a read of zero bytes before the end");
        assert_eq!(
            self.contents[1 - end].bytes(from, bytes.len()),
            bytes,
            "user {end} read other bytes than were sent, from byte {from}",
        );
        self.received(end, bytes.len());
    }

    /// Items arrive once, in order, as they were sent.
    pub(super) fn received_item(&mut self, end: usize, item: &str, len: usize) {
        let number = self.ends[end].items_received;
        let expected = self.contents[1 - end].item(number);
        assert!(
            !self.ends[end].is_cut_short,
            "an item after a truncated one"
        );
        assert!(
            self.ends[1 - end].items_written > number,
            "user {end} got {item:?}, from nowhere"
        );
        if item != expected {
            // The last line may lack its `\n`, and only then be truncated.
            assert!(
                expected.starts_with(item),
                "user {end} got {item:?} in place of item {number}, {expected:?}",
            );
            self.ends[end].is_cut_short = true;
            return;
        }
        self.ends[end].items_received += 1;
        self.received(end, len);
    }

    fn received(&mut self, end: usize, len: usize) {
        assert!(
            !self.ends[end].discards,
            "user {end} got data after discarded data"
        );
        self.ends[end].received += len;
        let (received, written) = (self.ends[end].received, self.ends[1 - end].written);
        assert!(
            received <= written,
            "user {end} got {received} bytes of {written}"
        );
    }

    pub(super) fn asks_to_close(&mut self, end: usize, code: u16) {
        self.ends[end].asked.get_or_insert(code);
    }

    pub(super) fn flushed(&mut self, end: usize, result: &io::Result<()>) {
        let account = &mut self.ends[end];
        match result {
            Ok(()) if account.flush_errors == 0 => account.flushed = account.written,
            Ok(()) => {}
            Err(error) => {
                account.flush_errors += 1;
                assert_eq!(
                    account.flush_errors, 1,
                    "user {end}: a loss was reported twice: {error}"
                );
            }
        }
    }

    pub(super) fn ended(&mut self, end: usize, how: End) {
        let account = &mut self.ends[end];
        assert_eq!(account.ended, None, "user {end}: an end after the end");
        account.ended = Some(how);
    }

    pub(super) fn ended_so(&mut self, end: usize, outcome: CloseOutcome) {
        let account = &mut self.ends[end];
        if let Some(before) = &account.outcome {
            assert_eq!(*before, outcome, "user {end}: two outcomes");
        }
        account.outcome = Some(outcome);
    }

    /// Data that is written and not yet sent is bounded by `ceiling`.
    pub(super) fn check_room(&self, end: usize, accepted: u64, ceiling: usize) {
        let held = (self.ends[end].written as u64).saturating_sub(accepted);
        assert!(
            held <= ceiling as u64,
            "user {end}: {held} bytes wait to be sent, over {ceiling}"
        );
    }

    /// Checks the final state of a run.
    pub(super) fn check_end(&self, scenario: &Scenario, was_reset: bool) {
        for end in [0, 1] {
            self.check_outcome(end, scenario);
            self.check_arrival(end);
            self.check_violation(end, scenario);
            self.check_stats(end);
        }
        let by = [0, 1].map(|end| closed_by(&self.ends[end]));
        assert_ne!(by, [Some(ClosedBy::Peer); 2], "no end closed first");
        if scenario.profile == Profile::Reliable && !was_reset {
            self.check_reliable(scenario);
        }
    }

    /// Checks that the end of reading and the outcome agree.
    fn check_outcome(&self, end: usize, scenario: &Scenario) {
        let me = &self.ends[end];
        let outcome = me.outcome.as_ref().expect("`closed` resolves");
        let is_lenient = scenario.users[end].config.lenient_eof;
        let peer = &self.ends[1 - end];
        // The close code that our violation causes.
        let violation = me.said.violation.map(|(_, code)| code);
        // If the peer closes with such a code and does not receive our reply, the code is the
        // error.
        let may_abort = [peer.asked, violation]
            .into_iter()
            .flatten()
            .any(|code| !CloseCode::from(code).is_normal_closure());
        if let CloseOutcome::Clean { code, by, .. } = outcome {
            let code = Some(u16::from(*code));
            match by {
                ClosedBy::Us => assert!(me.asked.is_some(), "we did not close: {outcome:?}"),
                ClosedBy::Peer => assert!(
                    peer.asked.or(violation).is_some(),
                    "the peer did not close: {outcome:?}"
                ),
            }
            let ours = me.asked.filter(|_| *by == ClosedBy::Us);
            assert!(
                [ours, peer.asked, violation].contains(&code),
                "user {end}: {outcome:?}, and no cause was reported",
            );
        }
        let is_whole = peer.written == me.received;
        let fits = match (me.ended, outcome) {
            (None, _) => me.is_gone || me.discards,
            // `close_with` discards the error, too.
            (Some(End::Clean), _) if me.discards => true,
            (Some(End::Clean), CloseOutcome::Clean { code, by, .. }) => {
                // The peer's close frame may be the reply to ours.
                let is_reply = *by == ClosedBy::Us && me.asked == Some(u16::from(*code));
                is_lenient || is_reply || code.is_normal_closure()
            }
            (Some(End::Clean), CloseOutcome::TimedOut) => is_lenient && may_abort,
            (Some(End::Clean), _) => is_lenient,
            (Some(End::Failed(kind)), CloseOutcome::Clean { code, .. }) => match kind {
                io::ErrorKind::ConnectionAborted => !code.is_normal_closure(),
                // The last item may be incomplete, if it was written too late.
                io::ErrorKind::UnexpectedEof => !is_whole,
                _ => false,
            },
            (Some(End::Failed(kind)), CloseOutcome::Failed(_)) => match kind {
                io::ErrorKind::InvalidData => true,
                io::ErrorKind::UnexpectedEof => is_lenient && !is_whole,
                _ => false,
            },
            (Some(End::Failed(kind)), CloseOutcome::TimedOut) => match kind {
                io::ErrorKind::ConnectionAborted => may_abort,
                kind => kind == io::ErrorKind::TimedOut,
            },
            (Some(End::Failed(kind)), CloseOutcome::Lost(_)) => {
                kind != io::ErrorKind::InvalidData && kind != io::ErrorKind::TimedOut
            }
        };
        assert!(
            fits,
            "user {end}: reading ended with {:?}, and the outcome is {outcome:?}",
            me.ended
        );
        if me.is_cut_short && !is_lenient {
            let by = closed_by(me);
            assert_eq!(by, Some(ClosedBy::Us), "user {end} got a part of an item");
        }
    }

    /// Checks that all data has arrived before a clean end.
    fn check_arrival(&self, end: usize) {
        let [me, peer] = [&self.ends[end], &self.ends[1 - end]];
        let (written, flushed, received) = (me.written, me.flushed, peer.received);
        let has_read_all = !peer.is_gone && !peer.discards;
        // An end that detects a violation closes without sending or reading the rest.
        let violates = |account: &EndState| account.said.violation.is_some();
        if closed_by(me) == Some(ClosedBy::Us)
            && peer.asked.is_none()
            && !peer.is_gone
            && !violates(me)
        {
            assert_eq!(
                received, written,
                "user {end} closed cleanly, and data is missing"
            );
        }
        if closed_by(peer) == Some(ClosedBy::Peer) && has_read_all && !violates(peer) {
            assert_eq!(
                received, written,
                "user {end} closed, and its peer lacks data"
            );
        }
        if closed_by(peer).is_some() && has_read_all {
            assert!(
                received >= flushed,
                "user {end} flushed {flushed}, and only {received} arrived"
            );
        }
    }

    fn check_reliable(&self, scenario: &Scenario) {
        for end in [0, 1] {
            let [me, peer] = [&self.ends[end], &self.ends[1 - end]];
            let users_stay = scenario
                .users
                .iter()
                .all(|user| user.closing != Closing::Drops);
            if users_stay {
                assert!(
                    closed_by(me).is_some() || has_failed(me),
                    "user {end}: an unclean outcome without a fault: {:?}",
                    me.outcome
                );
            }
            if !peer.is_gone && !peer.discards && !has_failed(peer) {
                let (flushed, received) = (me.flushed, peer.received);
                assert!(
                    received >= flushed,
                    "user {end} flushed {flushed}, and {received} arrived"
                );
            }
        }
    }
}

fn has_failed(account: &EndState) -> bool {
    matches!(account.outcome, Some(CloseOutcome::Failed(_)))
}

fn closed_by(account: &EndState) -> Option<ClosedBy> {
    match account.outcome {
        Some(CloseOutcome::Clean { by, .. }) => Some(by),
        _ => None,
    }
}
