//! The peer closes and hangs up: a clean end only if nothing of ours was still to go out.

use std::{io, pin::pin};

use futures::{AsyncReadExt, AsyncWriteExt, executor::block_on, io::BufWriter};
use support::{
    Frame, ROLES, RawPeer, Role, Setup, config_without_keepalive, from_raw_socket, on_transports,
    pipe, poll_until_idle, read_to_end, timeout,
};
use ws_framed::CloseOutcome;

#[test]
fn a_peer_that_hangs_up_with_our_data_under_way_has_not_closed_cleanly() {
    let places = [Setup::Pipe(Role::Server), Setup::Pipe(Role::Client)];
    for waits in [false, true] {
        on_transports(
            &places,
            &config_without_keepalive(),
            async |mut ours, mut peer| {
                let full = pin!(async { while ours.write(&[0; 4096]).await.is_ok() {} });
                assert!(poll_until_idle(full).is_pending());
                peer.send(Frame::binary("before")).await;
                peer.send(Frame::close(1000, "")).await;
                let mut buf = [0; 16];
                assert_eq!(ours.read(&mut buf).await.unwrap(), 6);
                if waits {
                    assert!(poll_until_idle(pin!(ours.read(&mut buf))).is_pending());
                }
                drop(peer);
                let error = ours.read(&mut buf).await.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
                assert_eq!(ours.handle().closed().await, CloseOutcome::Lost);
                assert_eq!(ours.read(&mut buf).await.unwrap(), 0);
            },
        );
    }
}

#[test]
fn a_writer_who_finds_it_out_does_not_make_it_a_clean_end_for_the_reader() {
    let places = [Setup::Pipe(Role::Server), Setup::Pipe(Role::Client)];
    on_transports(
        &places,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            peer.send(Frame::close(1000, "")).await;
            drop(peer);
            ours.write_all(b"never sent").await.unwrap();
            let error = ours.flush().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            let (_, end) = read_to_end(&mut ours).await;
            assert_eq!(end.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
            assert_eq!(ours.handle().closed().await, CloseOutcome::Lost);
        },
    );
}

#[test]
fn a_close_of_ours_that_never_left_is_not_answered_by_the_peers() {
    for (role, header) in ROLES.into_iter().zip([2, 6]) {
        for (code, kind) in [
            (1000, io::ErrorKind::BrokenPipe),
            (1011, io::ErrorKind::ConnectionAborted),
        ] {
            for is_polled_again in [false, true] {
                println!("{role:?} {code} {is_polled_again}");
                block_on(timeout(async {
                    let (ours, theirs) = pipe(100);
                    let mut ours = from_raw_socket(ours, role, config_without_keepalive()).await;
                    let mut peer = RawPeer::new(theirs, role.other());
                    // The pipe is full of what is flushed, so the close frame waits, alone.
                    ours.write_all(&vec![0; 100 - header]).await.unwrap();
                    ours.flush().await.unwrap();
                    assert!(poll_until_idle(pin!(ours.close())).is_pending());
                    peer.send(&Frame::binary("data")).await;
                    peer.send(&Frame::close(code, "")).await;
                    drop(peer);
                    if is_polled_again {
                        ours.close().await.unwrap_err();
                    }
                    let (data, end) = read_to_end(&mut ours).await;
                    assert_eq!(data, b"data");
                    assert_eq!(end.unwrap_err().kind(), kind);
                    assert_eq!(ours.handle().closed().await, CloseOutcome::Lost);
                }));
            }
        }
    }
}

#[test]
fn the_end_is_not_told_before_the_answer_has_left_what_buffers_below() {
    for (role, header) in ROLES.into_iter().zip([2, 6]) {
        println!("{role:?}");
        block_on(timeout(async {
            let (ours, theirs) = pipe(100);
            let mut ours =
                from_raw_socket(BufWriter::new(ours), role, config_without_keepalive()).await;
            let mut peer = RawPeer::new(theirs, role.other());
            // The pipe is full.
            ours.write_all(&vec![0; 100 - header]).await.unwrap();
            ours.flush().await.unwrap();
            peer.send(&Frame::close(1000, "")).await;
            let mut buf = [0; 8];
            assert!(poll_until_idle(pin!(ours.read(&mut buf))).is_pending());
            peer.next().await.unwrap();
            assert_eq!(ours.read(&mut buf).await.unwrap(), 0);
            assert_eq!(peer.next().await, Some(Frame::close(1000, "")));
        }));
    }
}
