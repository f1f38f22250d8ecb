//! Invariants of a run in which a peer violates the protocol.

use std::ops::Range;

use super::{Ledger, has_failed};
use crate::{
    CloseOutcome,
    simulation::scenario::{Class, Scenario},
};

impl Ledger {
    /// An end that receives a violation has received all data before it and none after it. The
    /// offender gets a close frame.
    pub(super) fn check_offence(&self, end: usize, scenario: &Scenario) {
        let [me, peer] = [&self.ends[end], &self.ends[1 - end]];
        let Some((before, code)) = peer.said.offence else {
            assert!(!has_failed(me), "user {end}: nobody broke a rule");
            return;
        };
        // The last line need not have its end, where an end like this reads like a clean one.
        let unseen_end = usize::from(scenario.users[end].config.lenient_eof);
        let received = me.received;
        assert!(
            received <= before + unseen_end,
            "user {end} got {received} bytes, and from {before} on they were tainted"
        );
        if has_failed(me) && !me.is_gone && !me.discards {
            // The item that it was in the middle of is lost.
            let is_item = |item: &Range<usize>| item.start == received && item.end > before;
            assert!(
                received >= before || peer.items.iter().any(is_item),
                "user {end} got {received} bytes of the {before} before a rule was broken"
            );
        }
        let all_stay = [me, peer].iter().all(|account| !account.is_gone);
        if scenario.class == Class::Calm && all_stay {
            assert!(
                has_failed(me),
                "user {end} did not notice: {:?}",
                me.outcome
            );
            let told = match &peer.outcome {
                Some(CloseOutcome::Clean { code, .. }) => Some(u16::from(*code)),
                _ => None,
            };
            // tungstenite replies to a close frame of the peer, in place of ours.
            let is_wrapped = scenario.users[end].own_socket.is_some();
            let codes = [Some(code), me.asked, peer.asked.filter(|_| is_wrapped)];
            assert!(
                told.is_some() && codes.contains(&told),
                "the peer of user {end} was told {told:?}, and not {code}"
            );
        }
    }
}
