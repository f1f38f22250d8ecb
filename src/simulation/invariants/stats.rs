//! Statistics, compared with the data that was sent and received.

use super::Oracle;

impl Oracle {
    pub(super) fn check_stats(&self, end: usize) {
        let [me, peer] = [&self.ends[end], &self.ends[1 - end]];
        let (sent, came) = (&me.stats, &peer.stats);
        // Texts beside the data count as messages, too.
        let aside_bytes = me.said.aside_bytes as u64;
        assert!(
            came.bytes_received <= sent.bytes_sent + aside_bytes,
            "bytes: {came:?} of {sent:?}"
        );
        assert!(
            came.messages_received <= sent.messages_sent + me.said.asides as u64,
            "messages: {came:?} of {sent:?}"
        );
        assert!(
            came.pings_received <= sent.pings_sent + me.said.pings as u64,
            "pings: {came:?} of {sent:?}"
        );
        assert!(
            came.pongs_received <= sent.pings_received,
            "pongs: {came:?} of {sent:?}"
        );
        assert!(
            sent.bytes_sent <= me.written as u64,
            "more was sent than written: {sent:?}"
        );
        if me.flush_errors == 0 && me.has_flushed_after_end {
            assert_eq!(
                sent.bytes_sent, me.written as u64,
                "user {end}: a loss was not reported"
            );
        }
        if !peer.is_gone && !peer.discards {
            // The last line may lack its `\n`.
            let least = came.bytes_received.saturating_sub(aside_bytes);
            let most = came.bytes_received + 1;
            let received = peer.received as u64;
            assert!(received <= most, "{came:?}, and {received} were read");
            let is_whole = peer.received == me.written;
            assert!(
                !is_whole || received >= least,
                "{came:?}, and only {received} were read"
            );
        }
    }
}
