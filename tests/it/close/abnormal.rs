//! Abnormal closures: the transport ends or fails without a close frame, which is an error and
//! never a silent end of file.

use std::{io, pin::pin, sync::Arc};

use futures::{AsyncReadExt, AsyncWriteExt, executor::block_on};
use support::{
    FRAMED, Frame, NO_TIMERS, PIPE_CAPACITY, RawPeer, Role, Setup, WakeFlag, assert_both_idle,
    config_without_keepalive, describe, encode_frames, from_raw_socket, observe, on_all_transports,
    on_transports, pipe, read_to_end, timeout, ws_error,
};
use ws_framed::{CloseFrame, CloseOutcome, LossCause, WsErr, WsStream};

use super::{IO_ERRORS, on_failing_stream};

/// Asserts what follows the end of the transport: this data, then `UnexpectedEof` once, and so on.
async fn assert_abnormal_closure(ours: &mut WsStream, before: &[u8]) {
    let mut events = observe(ours).await;
    let handle = ours.handle();
    let (data, end) = read_to_end(ours).await;
    assert_eq!(data, before);
    let error = end.expect_err("an abnormal closure is no end of file");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(matches!(ws_error(&error), WsErr::UnexpectedEof));
    assert_eq!(describe(&mut events), ["error UnexpectedEof", "closed"]);
    assert_eq!(
        handle.closed().await,
        CloseOutcome::Lost(LossCause::UnexpectedEof)
    );
    let write = ours.write(b"x").await.unwrap_err();
    assert_eq!(write.kind(), io::ErrorKind::BrokenPipe);
    ours.flush().await.unwrap();
    ours.close().await.unwrap();
}

/// An end between two messages is `UnexpectedEof`, after the data before it.
#[test]
fn end_between_messages() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("whole")).await;
        peer.close_write().await;
        assert_abnormal_closure(&mut ours, b"whole").await;
    });
}

/// An end before any message is `UnexpectedEof`.
#[test]
fn end_before_any_message() {
    on_all_transports(&config_without_keepalive(), async |mut ours, peer| {
        drop(peer);
        assert_abnormal_closure(&mut ours, b"").await;
    });
}

/// An end within the header, the mask or the payload of a frame is `UnexpectedEof`.
#[test]
fn end_within_frame() {
    for len in [1, 2, 4, 8] {
        on_transports(
            &FRAMED,
            &config_without_keepalive(),
            async |mut ours, mut peer| {
                peer.send(Frame::binary("whole")).await;
                peer.raw().send_part(&Frame::binary([1; 300]), len).await;
                peer.close_write().await;
                assert_abnormal_closure(&mut ours, b"whole").await;
            },
        );
    }
}

/// An end between the fragments of a message is `UnexpectedEof`.
#[test]
fn end_within_message() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("whole")).await;
        peer.send(Frame::binary("half").unfinished()).await;
        peer.close_write().await;
        assert_abnormal_closure(&mut ours, b"whole").await;
    });
}

/// An end in place of the reply to our close frame is `UnexpectedEof`.
#[test]
fn end_instead_of_reply() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.close().await.unwrap();
        peer.send(Frame::binary("whole")).await;
        peer.close_write().await;
        assert_abnormal_closure(&mut ours, b"whole").await;
    });
}

/// An end of the transport wakes a blocked writer, which returns `BrokenPipe`.
#[test]
fn end_wakes_blocked_writer() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |ours, mut peer| {
            let (mut reader, mut writer) = ours.split();
            let woken = Arc::new(WakeFlag::default());
            let mut buf = [0; 8];
            {
                let mut read = pin!(reader.read(&mut buf));
                let mut writing = pin!(async {
                    loop {
                        if let Err(error) = writer.write(&[0; 4096]).await {
                            break error;
                        }
                    }
                });
                assert_both_idle(writing.as_mut(), &woken, read.as_mut());
                peer.close_write().await;
                // The end wakes both tasks, and either may find it.
                assert_eq!(writing.await.kind(), io::ErrorKind::BrokenPipe);
                let read = read.await.unwrap_err();
                assert_eq!(read.kind(), io::ErrorKind::UnexpectedEof);
            }
            let lost = writer.flush().await.unwrap_err();
            assert_eq!(lost.kind(), io::ErrorKind::BrokenPipe);
            writer.flush().await.unwrap();
        },
    );
}

/// An I/O error of a wrapped stream is reported with its own kind.
#[test]
fn io_error_keeps_its_kind() {
    for kind in IO_ERRORS {
        on_failing_stream(
            kind,
            &config_without_keepalive(),
            async |mut ours, mut peer| {
                let mut events = observe(&mut ours).await;
                peer.send(&Frame::binary("before")).await;
                peer.close_write().await;
                let (data, end) = read_to_end(&mut ours).await;
                assert_eq!(data, b"before");
                let error = end.unwrap_err();
                assert_eq!(error.kind(), kind);
                assert!(matches!(ws_error(&error), WsErr::Io(io) if io.kind() == kind));
                assert_eq!(
                    describe(&mut events),
                    [&format!("error {kind:?}"), "closed"]
                );
                assert_eq!(
                    ours.handle().closed().await,
                    CloseOutcome::Lost(LossCause::Io(kind))
                );
                let write = ours.write(b"x").await.unwrap_err();
                assert_eq!(write.kind(), io::ErrorKind::BrokenPipe);
            },
        );
    }
}

/// An I/O error of a custom transport is reported with its own kind.
#[test]
fn transport_error_keeps_its_kind() {
    for kind in IO_ERRORS {
        on_transports(
            &[Setup::Memory],
            &config_without_keepalive(),
            async |mut ours, mut peer| {
                peer.send(Frame::binary("before")).await;
                peer.send_error(io::Error::from(kind).into()).await;
                let (data, end) = read_to_end(&mut ours).await;
                assert_eq!(data, b"before");
                assert_eq!(end.unwrap_err().kind(), kind);
            },
        );
    }
}

/// TLS that ends without `close_notify` fails with `UnexpectedEof`, which is an abnormal closure
/// too.
#[test]
fn tls_without_close_notify() {
    on_failing_stream(
        io::ErrorKind::UnexpectedEof,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            peer.send(&Frame::binary("whole")).await;
            peer.close_write().await;
            assert_abnormal_closure(&mut ours, b"whole").await;
        },
    );
}

/// A stream that fails after both close frames does not change the clean outcome.
#[test]
fn failure_after_both_close_frames() {
    for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::UnexpectedEof] {
        on_failing_stream(
            kind,
            &config_without_keepalive(),
            async |mut ours, mut peer| {
                peer.send(&Frame::close(1000, "")).await;
                peer.close_write().await;
                read_to_end(&mut ours).await.1.unwrap();
                let outcome = ours.close_with(CloseFrame::normal()).await;
                assert!(
                    matches!(outcome, Ok(CloseOutcome::Clean { .. })),
                    "{outcome:?}"
                );
            },
        );
    }
}

/// An error of a connection below another one is an I/O error of the upper one, and no violation
/// there.
#[test]
fn violation_below_is_io_error() {
    for is_lenient in [false, true] {
        block_on(timeout(async {
            let config = config_without_keepalive().lenient_eof(is_lenient);
            let (io, theirs) = pipe(PIPE_CAPACITY);
            let below = from_raw_socket(io, Role::Server, config_without_keepalive()).await;
            let mut ours = from_raw_socket(below, Role::Server, config).await;
            let mut peer = RawPeer::new(theirs, Role::Client);
            let before = encode_frames(Role::Client, &[Frame::binary("before")]);
            peer.send(&Frame::binary(before)).await;
            peer.send(&Frame::text("refused")).await;
            peer.close_write().await;
            let (data, end) = read_to_end(&mut ours).await;
            assert_eq!(data, b"before");
            let error = end.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            let WsErr::Io(cause) = ws_error(&error) else {
                panic!("{error:?} is not an error of the transport");
            };
            assert!(matches!(ws_error(cause), WsErr::ReceivedText));
            assert_eq!(
                ours.handle().closed().await,
                CloseOutcome::Lost(LossCause::Io(io::ErrorKind::InvalidData))
            );
        }));
    }
}
