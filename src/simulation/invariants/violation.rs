//! Invariants of a run in which a peer violates the protocol.

use std::ops::Range;

use super::{Oracle, has_failed};
use crate::{
    CloseOutcome,
    simulation::scenario::{Profile, Scenario},
};

impl Oracle {
    /// An end that receives a violation has received all data before it and none after it. The
    /// violator gets a close frame.
    pub(super) fn check_violation(&self, end: usize, scenario: &Scenario) {
        let [me, peer] = [&self.ends[end], &self.ends[1 - end]];
        let Some((before, code)) = peer.said.violation else {
            assert!(!has_failed(me), "user {end}: no violation was sent");
            return;
        };
        // A lenient end is read as a clean one, so the last line may lack its `\n`.
        let unseen_end = usize::from(scenario.users[end].config.lenient_eof);
        let received = me.received;
        assert!(
            received <= before + unseen_end,
            "user {end} got {received} bytes, and {before} were sent before the violation"
        );
        if has_failed(me) && !me.is_gone && !me.discards {
            // The incomplete item is lost.
            let is_item = |item: &Range<usize>| item.start == received && item.end > before;
            assert!(
                received >= before || peer.items.iter().any(is_item),
                "user {end} got {received} bytes of the {before} before the violation"
            );
        }
        let all_stay = [me, peer].iter().all(|account| !account.is_gone);
        if scenario.profile == Profile::Reliable && all_stay {
            assert!(
                has_failed(me),
                "user {end} did not notice: {:?}",
                me.outcome
            );
            let received_code = match &peer.outcome {
                Some(CloseOutcome::Clean { code, .. }) => Some(u16::from(*code)),
                _ => None,
            };
            // tungstenite replies to a close frame of the peer, in place of ours.
            let is_wrapped = scenario.users[end].own_socket.is_some();
            let codes = [Some(code), me.asked, peer.asked.filter(|_| is_wrapped)];
            assert!(
                received_code.is_some() && codes.contains(&received_code),
                "the peer of user {end} got code {received_code:?} instead of {code}"
            );
        }
    }
}
