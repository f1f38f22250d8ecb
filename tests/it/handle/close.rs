//! Closing the connection by a handle.

use std::{io::ErrorKind, pin::pin};

use futures::{AsyncReadExt, AsyncWriteExt, future};
use support::{
    Frame, NO_TIMERS, Role, Setup, config_without_keepalive, on_all_transports, on_transports,
    poll_until_idle, read_to_end,
};
use ws_framed::{CloseCode, CloseFrame, CloseOutcome, ClosedBy, WsErr};

/// `WsHandle::close` flushes written data, then sends its close frame, and the reader gets a clean
/// end. The first close counts. A close after the end changes nothing and is no error.
#[test]
fn flushes_then_closes() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let handle = ours.handle();
        ours.write_all(b"the last").await.unwrap();
        let frame = |code: u16, reason| CloseFrame::new(CloseCode::from(code), reason).unwrap();
        let script = async {
            handle.close(frame(4001, "session expired")).unwrap();
            handle.close(frame(4002, "too late")).unwrap();
            let (data, code, reason) = peer.until_close().await;
            assert_eq!((data.as_slice(), code), (&b"the last"[..], 4001));
            assert_eq!(reason, "session expired");
            peer.send(Frame::close(4001, "session expired")).await;
            handle.closed().await
        };
        let ((data, end), outcome) = future::join(read_to_end(&mut ours), script).await;
        end.unwrap();
        assert_eq!(data.len(), 0);
        let clean = CloseOutcome::Clean {
            code: CloseCode::from(4001),
            reason: "session expired".to_owned(),
            our_code: Some(CloseCode::from(4001)),
            by: ClosedBy::Us,
        };
        assert_eq!(outcome, clean);
        peer.expect_end().await;
        let error = ours.write(b"more").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        handle.close(CloseFrame::normal()).unwrap();
        assert_eq!(handle.closed().await, clean);
    });
}

/// A handle refuses close codes that may not be sent.
#[test]
fn refuses_reserved_codes() {
    on_all_transports(&config_without_keepalive(), async |ours, _peer| {
        for reserved in [CloseCode::NO_STATUS_RECEIVED, CloseCode::ABNORMAL_CLOSURE] {
            let frame = CloseFrame::from_peer(reserved, "");
            let error = ours.handle().close(frame).unwrap_err();
            let WsErr::InvalidCloseCode(code) = error else {
                panic!("{error:?}");
            };
            assert_eq!(code, reserved);
        }
    });
}

/// A handle pings and closes while another task of the runtime reads.
#[test]
fn closes_from_another_task() {
    let setups = [Setup::Tcp(Role::Server), Setup::Tcp(Role::Client)];
    on_transports(
        &setups,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let handle = ours.handle();
            let reading = tokio::spawn(async move { read_to_end(&mut ours).await.1 });
            let ping = tokio::spawn({
                let handle = handle.clone();
                async move { handle.ping().await }
            });
            let frame = peer.next().await.unwrap();
            peer.send(Frame::pong(frame.payload)).await;
            ping.await.unwrap().unwrap();
            handle.close(CloseFrame::normal()).unwrap();
            peer.expect(Frame::close(1000, "")).await;
            peer.send(Frame::close(1000, "")).await;
            reading.await.unwrap().unwrap();
            assert!(matches!(handle.closed().await, CloseOutcome::Clean { .. }));
        },
    );
}

/// `WsHandle::close` wakes a read that waits, even where an executor polls only woken tasks.
#[test]
fn wakes_a_parked_reader() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let handle = ours.handle();
            let mut buf = [0; 8];
            let mut read = pin!(ours.read(&mut buf));
            assert!(poll_until_idle(read.as_mut()).is_pending());
            handle.close(CloseFrame::normal()).unwrap();
            let script = async {
                peer.expect(Frame::close(1000, "")).await;
                peer.send(Frame::close(1000, "")).await;
            };
            let (read, ()) = future::join(read, script).await;
            assert_eq!(read.unwrap(), 0);
        },
    );
}
