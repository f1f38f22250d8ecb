//! `lenient_eof`: the ways of `ws_stream_tungstenite`, where most ends read as an end of file.

use futures::{AsyncReadExt, future::join};
use support::{FRAMED, Frame, describe, observe, on_all_transports, on_transports, read_to_end};
use ws_framed::{Config, TextPolicy};

use super::{IO_ERRORS, on_failing_stream};
use crate::time::short_close_timeout;

fn lenient() -> Config {
    short_close_timeout().lenient_eof(true)
}

/// Asserts that `frames` and then the end of the transport read as an end of file, with these
/// events.
fn assert_end_of_file(frames: &[Frame], expected: &[&str]) {
    on_all_transports(
        &lenient().text(TextPolicy::Reject),
        async |mut ours, mut peer| {
            let mut events = observe(&mut ours).await;
            peer.send(Frame::binary("data")).await;
            peer.send_all(frames.iter().cloned()).await;
            peer.close_write().await;
            let (data, end) = read_to_end(&mut ours).await;
            end.unwrap();
            assert_eq!(data, b"data");
            assert_eq!(describe(&mut events), expected);
        },
    );
}

/// A missing close frame, an error code and a violation read as an end of file. Events still report
/// them.
#[test]
fn failures_read_as_end_of_file() {
    assert_end_of_file(&[], &["error UnexpectedEof", "closed"]);
    assert_end_of_file(&[Frame::close(1011, "")], &["close 1011", "closed"]);
    assert_end_of_file(&[Frame::text("no")], &["error InvalidData", "closed"]);
    let too_long = Frame::binary(vec![0; 1024 * 1024 + 1]);
    on_transports(&FRAMED[..2], &lenient(), async |mut ours, mut peer| {
        // The sockets need not hold all of it.
        let sending = peer.send_all([too_long.clone().claiming(1 << 21)]);
        let ((_, end), ()) = join(read_to_end(&mut ours), sending).await;
        end.unwrap();
    });
}

/// An I/O error is still an error of the read.
#[test]
fn io_error_is_still_reported() {
    for kind in IO_ERRORS {
        on_failing_stream(kind, &lenient(), async |mut ours, mut peer| {
            peer.close_write().await;
            let error = ours.read(&mut [0; 8]).await.unwrap_err();
            assert_eq!(error.kind(), kind);
            assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
        });
    }
}
