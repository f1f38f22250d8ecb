//! An end that is not clean is never a silent end of file, unless that is what was asked for.

use std::{io, pin::pin, sync::Arc, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, executor::block_on};
use support::{
    FRAMED, FailAtEnd, Frame, NO_TIMERS, PIPE_CAPACITY, RawPeer, Role, Setup, WakeFlag,
    assert_both_idle, config_without_keepalive, describe, encode_frames, from_raw_socket, observe,
    on_all_transports, on_transports, pipe, read_to_end, timeout, ws_error,
};
use ws_framed::{CloseOutcome, Config, TextPolicy, WsErr, WsStream};

/// Looks at all that follows when the connection has been cut.
async fn is_cut(ours: &mut WsStream, before: &[u8]) {
    let mut events = observe(ours).await;
    let handle = ours.handle();
    let (data, end) = read_to_end(ours).await;
    assert_eq!(data, before);
    let error = end.expect_err("a cut stream must not look complete");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(matches!(ws_error(&error), WsErr::UnexpectedEof));
    assert_eq!(describe(&mut events), ["error UnexpectedEof", "closed"]);
    assert_eq!(handle.closed().await, CloseOutcome::Lost);
    let write = ours.write(b"x").await.unwrap_err();
    assert_eq!(write.kind(), io::ErrorKind::BrokenPipe);
    ours.flush().await.unwrap();
    ours.close().await.unwrap();
}

#[test]
fn an_end_between_messages() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("whole")).await;
        peer.close_write().await;
        is_cut(&mut ours, b"whole").await;
    });
}

#[test]
fn an_end_right_at_the_start() {
    on_all_transports(&config_without_keepalive(), async |mut ours, peer| {
        drop(peer);
        is_cut(&mut ours, b"").await;
    });
}

#[test]
fn an_end_within_a_frame() {
    // Within the header, the mask or the payload.
    for len in [1, 2, 4, 8] {
        on_transports(
            &FRAMED,
            &config_without_keepalive(),
            async |mut ours, mut peer| {
                peer.send(Frame::binary("whole")).await;
                peer.raw().send_part(&Frame::binary([1; 300]), len).await;
                peer.close_write().await;
                is_cut(&mut ours, b"whole").await;
            },
        );
    }
}

#[test]
fn an_end_within_a_message() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("whole")).await;
        peer.send(Frame::binary("half").unfinished()).await;
        peer.close_write().await;
        is_cut(&mut ours, b"whole").await;
    });
}

#[test]
fn an_end_in_the_place_of_an_answer_to_our_close() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.close().await.unwrap();
        peer.send(Frame::binary("whole")).await;
        peer.close_write().await;
        is_cut(&mut ours, b"whole").await;
    });
}

#[test]
fn a_writer_that_waits_learns_of_the_end_that_the_reader_found() {
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
                // The end wakes both, and either may find it.
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

/// Our end over a connection that fails in this way, and its peer.
async fn failing(kind: io::ErrorKind, role: Role, config: Config) -> (WsStream, RawPeer) {
    let (io, theirs) = pipe(PIPE_CAPACITY);
    let ours = from_raw_socket(FailAtEnd { io, kind }, role, config).await;
    (ours, RawPeer::new(theirs, role.other()))
}

fn with_failing(kind: io::ErrorKind, config: &Config, test: impl AsyncFn(WsStream, RawPeer)) {
    for role in [Role::Server, Role::Client] {
        println!("{kind:?} as {role:?}");
        block_on(timeout(async {
            let (ours, peer) = failing(kind, role, config.clone()).await;
            test(ours, peer).await;
        }));
    }
}

const KINDS: [io::ErrorKind; 5] = [
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::TimedOut,
    io::ErrorKind::PermissionDenied,
    io::ErrorKind::Other,
];

#[test]
fn an_error_of_the_connection_keeps_its_kind() {
    for kind in KINDS {
        with_failing(
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
                assert_eq!(ours.handle().closed().await, CloseOutcome::Lost);
                let write = ours.write(b"x").await.unwrap_err();
                assert_eq!(write.kind(), io::ErrorKind::BrokenPipe);
            },
        );
    }
}

#[test]
fn tls_without_a_goodbye_is_a_cut_connection() {
    let kind = io::ErrorKind::UnexpectedEof;
    with_failing(
        kind,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            peer.send(&Frame::binary("whole")).await;
            peer.close_write().await;
            is_cut(&mut ours, b"whole").await;
        },
    );
}

#[test]
fn a_connection_that_breaks_after_both_closes_was_closed_cleanly() {
    for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::UnexpectedEof] {
        with_failing(
            kind,
            &config_without_keepalive(),
            async |mut ours, mut peer| {
                peer.send(&Frame::close(1000, "")).await;
                peer.close_write().await;
                read_to_end(&mut ours).await.1.unwrap();
                let outcome = ours.close_with(ws_framed::CloseFrame::normal()).await;
                assert!(
                    matches!(outcome, Ok(CloseOutcome::Clean { .. })),
                    "{outcome:?}"
                );
            },
        );
    }
}

#[test]
fn an_error_of_another_transport_keeps_its_kind() {
    let places = [Setup::Memory];
    for kind in KINDS {
        on_transports(
            &places,
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

fn lenient() -> Config {
    config_without_keepalive()
        .lenient_eof(true)
        .close_timeout(Duration::from_millis(100))
}

/// With `lenient_eof`, `frames` and then the end of the connection read like a clean end, with these
/// events.
fn is_forgiven(frames: &[Frame], expected: &[&str]) {
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

#[test]
fn lenient_eof_makes_a_clean_end_of_every_other() {
    is_forgiven(&[], &["error UnexpectedEof", "closed"]);
    is_forgiven(&[Frame::close(1011, "")], &["close 1011", "closed"]);
    is_forgiven(&[Frame::text("no")], &["error InvalidData", "closed"]);
    let too_long = Frame::binary(vec![0; 1024 * 1024 + 1]);
    let config = lenient();
    on_transports(&FRAMED[..2], &config, async |mut ours, mut peer| {
        peer.send_all([too_long.clone().claiming(1 << 21)]).await;
        read_to_end(&mut ours).await.1.unwrap();
    });
}

#[test]
fn lenient_eof_still_tells_an_io_error() {
    for kind in KINDS {
        with_failing(kind, &lenient(), async |mut ours, mut peer| {
            peer.close_write().await;
            let error = ours.read(&mut [0; 8]).await.unwrap_err();
            assert_eq!(error.kind(), kind);
            assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
        });
    }
}

#[test]
fn what_ends_a_connection_below_is_no_offence_in_the_one_over_it() {
    for config in [config_without_keepalive(), lenient()] {
        block_on(timeout(async {
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
                panic!("{error:?} is not one of the transport");
            };
            assert!(matches!(ws_error(cause), WsErr::ReceivedText));
            assert_eq!(ours.handle().closed().await, CloseOutcome::Lost);
        }));
    }
}
