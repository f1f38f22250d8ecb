//! Rules that hold after any inputs.

use proptest::prelude::*;

use super::*;

fn any_input() -> impl Strategy<Value = Input> {
    prop_oneof![
        Just(close_requested()),
        Just(Input::DiscardRequested),
        Just(Input::MessageQueued),
        Just(Input::CloseQueued),
        Just(Input::Blocked),
        any::<bool>().prop_map(|all| Input::Flushed { all }),
        Just(Input::WriteFailed(reset_error())),
        Just(Input::LossReported),
        Just(Input::Progress),
        Just(Input::Sent),
        (0..5000_u16, any::<[bool; 2]>()).prop_map(|(code, [is_normal, replies])| {
            Input::PeerClosed {
                frame: Some(CloseFrame::from_peer(code.into(), "why")),
                is_normal,
                replies,
            }
        }),
        Just(violation()),
        Just(eof()),
        Just(Input::TransportEnded),
        Just(timed_out()),
        Just(Input::GaveUpWriting(WsErr::TimedOut(Timeout::Silent))),
        Just(Input::StepDone),
    ]
}

proptest! {
    /// After any inputs, the first conclusion is final, steps only advance, and nothing is written
    /// once the connection has begun to end.
    #[test]
    fn invariants_hold_for_all_inputs(inputs in prop::collection::vec((any_input(), any::<bool>()), 0..12)) {
        let mut state = State::new();
        let mut end: Option<CloseOutcome> = None;
        for (input, writes) in inputs {
            if writes && state.check_writable().is_ok() {
                state.buffered();
            }
            let step = state.step();
            let transition = state.on(input);
            prop_assert!(state.step() >= step);
            prop_assert_eq!(transition.is_concluded, end.is_none() && state.end().is_some());
            if let Some(outcome) = &end {
                prop_assert_eq!(outcome, &state.end().unwrap().outcome);
                prop_assert!(!state.is_pending(), "unsent data is lost at the end");
                prop_assert!(state.pending_close().is_none(), "nothing is sent after the end");
                prop_assert!(state.check_writable().is_err());
            }
            if state.reading() != Reading::Receive {
                prop_assert!(state.discards());
                prop_assert!(state.check_writable().is_err());
            }
            end = state.end().map(|end| end.outcome.clone());
        }
    }
}
