//! A peer that closes and disconnects: the end is clean only if nothing of ours was still to be
//! sent.

use std::{io, pin::pin};

use futures::{AsyncReadExt, AsyncWriteExt, executor::block_on};
use support::{
    Frame, ROLES, RawPeer, Role, Setup, config_without_keepalive, from_raw_socket, on_transports,
    pipe, poll_until_idle, read_to_end, timeout,
};
use ws_framed::{CloseCode, CloseOutcome, ClosedBy, LossCause};

use super::clean_with;
use crate::bytes::fill;

const PIPES: [Setup; 2] = [Setup::Pipe(Role::Server), Setup::Pipe(Role::Client)];

/// A client that disconnects right after its close frame has closed cleanly.
#[test]
fn client_disconnects_after_its_close() {
    let setups = [
        Setup::Tcp(Role::Server),
        Setup::Pipe(Role::Server),
        Setup::Memory,
    ];
    on_transports(
        &setups,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let handle = ours.handle();
            peer.send(Frame::binary("bye")).await;
            peer.send(Frame::close(1001, "")).await;
            drop(peer);
            let (data, end) = read_to_end(&mut ours).await;
            end.unwrap();
            assert_eq!(data, b"bye");
            // Whether our reply is still sent depends on the transport.
            let outcome = handle.closed().await;
            let rows = [Some(1001), None].map(|ours| clean_with(1001, "", ours, ClosedBy::Peer));
            assert!(rows.contains(&outcome), "{outcome:?}");
        },
    );
}

/// A peer that disconnects while our data is in flight ends the connection with `BrokenPipe`.
#[test]
fn data_in_flight_is_lost() {
    for is_read_blocked in [false, true] {
        println!("a read waits for the reply: {is_read_blocked}");
        on_transports(
            &PIPES,
            &config_without_keepalive(),
            async |mut ours, mut peer| {
                fill(&mut ours);
                peer.send(Frame::binary("before")).await;
                peer.send(Frame::close(1000, "")).await;
                let mut buf = [0; 16];
                assert_eq!(ours.read(&mut buf).await.unwrap(), 6);
                if is_read_blocked {
                    assert!(poll_until_idle(pin!(ours.read(&mut buf))).is_pending());
                }
                drop(peer);
                let error = ours.read(&mut buf).await.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
                assert_eq!(
                    ours.handle().closed().await,
                    CloseOutcome::Lost(LossCause::Closed(CloseCode::NORMAL_CLOSURE))
                );
                assert_eq!(ours.read(&mut buf).await.unwrap(), 0);
            },
        );
    }
}

/// A flush that finds the disconnect and loses data does not make the end clean for a reader.
#[test]
fn failed_flush_is_no_clean_end() {
    on_transports(
        &PIPES,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            peer.send(Frame::close(1000, "")).await;
            drop(peer);
            ours.write_all(b"never sent").await.unwrap();
            let error = ours.flush().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            let (_, end) = read_to_end(&mut ours).await;
            assert_eq!(end.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
            assert_eq!(
                ours.handle().closed().await,
                CloseOutcome::Lost(LossCause::Closed(CloseCode::NORMAL_CLOSURE))
            );
        },
    );
}

/// The peer's close frame is no reply to a close frame of ours that was never sent.
#[test]
fn unsent_close_has_no_reply() {
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
                    // The pipe is full of flushed data, so only the close frame waits.
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
                    assert_eq!(
                        ours.handle().closed().await,
                        CloseOutcome::Lost(LossCause::Closed(CloseCode::new(code)))
                    );
                }));
            }
        }
    }
}
