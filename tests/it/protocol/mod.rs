//! What a peer may send, and what it may not (RFC 6455 sections 5 to 8). Close codes are in
//! `close::peer`.

mod control_frames;
mod fail_connection;
mod floods;
mod limits;
mod text;
mod violations;

use std::io;

use futures::{AsyncWriteExt, future};
use support::{Frame, Setup, describe, frame::PING, observe, on_transports, read_to_end, ws_error};
use ws_framed::{CloseOutcome, Config, WsErr};

/// Asserts that the last of these frames fails the connection with this close code, and all that
/// follows from that.
fn assert_violation(setups: &[Setup], config: &Config, frames: &[Frame], code: u16) {
    let (_, valid) = frames.split_last().unwrap();
    let pings = valid.iter().filter(|frame| frame.opcode == PING);
    let pings = pings.map(|ping| format!("ping {}", String::from_utf8_lossy(&ping.payload)));
    let failure = ["error InvalidData", "closed"].map(str::to_owned);
    let expected_events: Vec<_> = pings.chain(failure).collect();
    on_transports(setups, config, async |mut ours, mut peer| {
        println!("{frames:?}");
        let mut events = observe(&mut ours).await;
        let handle = ours.handle();
        peer.send(Frame::binary("before")).await;
        peer.send_all(frames.iter().cloned()).await;
        let ((data, end), sent) = future::join(read_to_end(&mut ours), peer.expect_close()).await;
        assert_eq!(data, b"before");
        let error = end.expect_err("a violation is no clean end");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let WsErr::Protocol(violation) = ws_error(&error) else {
            panic!("{error:?}");
        };
        assert_eq!((u16::from(violation.code()), sent), (code, code));
        assert_eq!(describe(&mut events), expected_events);
        assert_eq!(
            handle.closed().await,
            CloseOutcome::Failed(violation.code())
        );
        let write = ours.write(b"x").await.unwrap_err();
        assert_eq!(write.kind(), io::ErrorKind::BrokenPipe);
        ours.flush().await.unwrap();
        ours.close().await.unwrap();
    });
}
