//! Items of a connection that was cut: what is left is not the end of a whole stream, whatever looks at it.

use futures::{AsyncReadExt, StreamExt};
use support::{Frame, NO_TIMERS, config_without_keepalive, on_transports};
use ws_framed::{Lines, WsFramed};

#[test]
fn half_a_line_is_no_line_of_another_codec_but_bytes() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |ours, mut peer| {
            peer.send(Frame::binary("whole\nhal")).await;
            peer.close_write().await;
            let mut lines = ours.framed(Lines::new(80));
            assert_eq!(lines.next().await.unwrap().unwrap(), "whole");
            lines.next().await.unwrap().unwrap_err();
            assert!(lines.next().await.is_none());
            let mut lines = lines.map_codec(|_| Lines::new(80));
            assert!(lines.next().await.is_none());
            let mut lines = WsFramed::from_parts(lines.into_parts());
            assert!(lines.next().await.is_none());
            let mut rest = String::new();
            lines.into_stream().read_to_string(&mut rest).await.unwrap();
            assert_eq!(rest, "hal");
        },
    );
}

#[test]
fn where_a_cut_is_told_as_the_end_it_is_the_last_line() {
    let config = config_without_keepalive().lenient_eof(true);
    on_transports(&NO_TIMERS, &config, async |ours, mut peer| {
        peer.send(Frame::binary("whole\nhal")).await;
        peer.close_write().await;
        let mut lines = ours.framed(Lines::new(80));
        assert_eq!(lines.next().await.unwrap().unwrap(), "whole");
        let mut lines = lines.map_codec(|_| Lines::new(80));
        assert_eq!(lines.next().await.unwrap().unwrap(), "hal");
        assert!(lines.next().await.is_none());
    });
}
