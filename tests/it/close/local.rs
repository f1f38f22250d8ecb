//! `poll_close`: flushes, sends a close frame, and leaves reading as it is.

use std::{io, pin::pin, sync::Arc, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, executor::block_on, io::BufWriter};
use support::{
    FRAMED, Frame, IMMEDIATE, NO_TIMERS, PIPE_CAPACITY, RawPeer, Role, SlowFlush, WakeFlag,
    assert_idle, config_without_keepalive, describe, from_raw_socket, observe, on_all_transports,
    on_transports, pipe, poll_until_idle, read_to_end, timeout, while_reading,
};
use ws_framed::{CloseOutcome, ClosedBy};

fn clean(code: u16, reason: &str) -> CloseOutcome {
    CloseOutcome::Clean {
        code: code.into(),
        reason: reason.to_owned(),
        by: ClosedBy::Us,
    }
}

#[test]
fn close_flushes_and_then_sends_a_close_frame_with_code_1000() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.write_all(&[7; 10_000]).await.unwrap();
        // Ready without a word from the peer.
        ours.close().await.unwrap();
        assert_eq!(peer.receive(10_000).await.0, [7; 10_000]);
        peer.expect(Frame::close(1000, "")).await;
    });
}

#[test]
fn close_does_not_read() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let mut events = observe(&mut ours).await;
            peer.send(Frame::ping("waiting")).await;
            peer.send(Frame::binary("data")).await;
            ours.close().await.unwrap();
            assert_eq!(describe(&mut events), <[&str; 0]>::default());
            assert_eq!(ours.handle().stats().bytes_received, 0);
            let mut data = [0; 4];
            ours.read_exact(&mut data).await.unwrap();
            assert_eq!(&data, b"data");
        },
    );
}

#[test]
fn what_the_peer_had_under_way_arrives_after_our_close() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let handle = ours.handle();
        peer.send(Frame::binary("under ")).await;
        ours.close().await.unwrap();
        peer.expect(Frame::close(1000, "")).await;
        peer.send(Frame::ping("")).await;
        peer.send(Frame::binary("way")).await;
        peer.send(Frame::close(1000, "done")).await;
        let (data, end) = read_to_end(&mut ours).await;
        end.unwrap();
        assert_eq!(data, b"under way");
        assert_eq!(describe(&mut events), ["ping ", "close 1000", "closed"]);
        assert_eq!(handle.closed().await, clean(1000, "done"));
        while peer.next().await.is_some() {}
    });
}

#[test]
fn any_answer_to_our_close_is_a_clean_end() {
    for code in [1000, 1002, 1006, 1011, 1014, 2999, 4001] {
        on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
            let handle = ours.handle();
            ours.close().await.unwrap();
            peer.send(Frame::binary("last words")).await;
            peer.send(Frame::close(code, "why")).await;
            let (data, end) = read_to_end(&mut ours).await;
            end.unwrap();
            assert_eq!(data, b"last words");
            assert_eq!(handle.closed().await, clean(code, "why"));
        });
    }
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.close().await.unwrap();
        peer.send(Frame::bare_close()).await;
        read_to_end(&mut ours).await.1.unwrap();
        assert_eq!(ours.handle().closed().await, clean(1005, ""));
    });
}

#[test]
fn closing_again_changes_nothing() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.close().await.unwrap();
        ours.close().await.unwrap();
        peer.send(Frame::close(1000, "")).await;
        read_to_end(&mut ours).await.1.unwrap();
        ours.close().await.unwrap();
        ours.flush().await.unwrap();
        peer.expect(Frame::close(1000, "")).await;
        peer.expect_end().await;
    });
}

#[test]
fn writing_after_our_close_is_a_broken_pipe() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.write_all(b"in time").await.unwrap();
        ours.close().await.unwrap();
        let error = ours.write(b"too late").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        // Everything that was written went out.
        ours.flush().await.unwrap();
        assert_eq!(ours.write(b"").await.unwrap(), 0);
        let (data, code, _) = peer.until_close().await;
        assert_eq!((data.as_slice(), code), (&b"in time"[..], 1000));
    });
}

#[test]
fn no_data_is_taken_while_a_close_waits_for_room() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, peer| {
            let full = pin!(async { while ours.write(&[0; 4096]).await.is_ok() {} });
            assert!(poll_until_idle(full).is_pending());
            assert!(poll_until_idle(pin!(ours.close())).is_pending());
            let write = ours.write(b"too late").now_or_never().expect("an answer");
            assert_eq!(write.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
            drop(peer);
        },
    );
}

#[test]
fn a_close_that_finds_no_room_gives_up_and_says_so_once() {
    let config = config_without_keepalive().close_timeout(Duration::from_millis(100));
    on_transports(&NO_TIMERS, &config, async |mut ours, peer| {
        let full = pin!(async { while ours.write(&[0; 4096]).await.is_ok() {} });
        assert!(poll_until_idle(full).is_pending());
        let error = ours.close().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        ours.close().await.unwrap();
        ours.flush().await.unwrap();
        assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
        let (_, end) = read_to_end(&mut ours).await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(peer);
    });
}

#[test]
fn a_peer_that_never_answers_times_out_in_band() {
    let config = config_without_keepalive().close_timeout(Duration::from_millis(100));
    on_all_transports(&config, async |mut ours, peer| {
        let mut events = observe(&mut ours).await;
        ours.close().await.unwrap();
        let (_, end) = read_to_end(&mut ours).await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(describe(&mut events), ["error TimedOut", "closed"]);
        assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
        drop(ours);
        assert_eq!(peer.expect_close().await, 1000);
    });
}

#[test]
fn a_peer_that_never_answers_is_hung_up_on() {
    let config = config_without_keepalive().close_timeout(Duration::from_millis(100));
    let places = [&FRAMED[..2], &IMMEDIATE].concat();
    on_transports(&places, &config, async |mut ours, peer| {
        ours.close().await.unwrap();
        read_to_end(&mut ours).await.1.unwrap_err();
        // The stream is still there, and the peer hears all the same that nobody listens any more.
        assert_eq!(peer.expect_close().await, 1000);
        drop(ours);
    });
}

#[test]
fn a_reader_that_has_parked_watches_the_deadline_of_a_close_on_another_task() {
    let config = config_without_keepalive().close_timeout(Duration::from_millis(100));
    on_transports(&NO_TIMERS, &config, async |ours, _peer| {
        let (mut reader, mut writer) = ours.split();
        let woken = Arc::new(WakeFlag::default());
        let mut buf = [0; 8];
        let mut read = pin!(reader.read(&mut buf));
        assert_idle(read.as_mut(), &woken);
        writer.close().await.unwrap();
        assert!(woken.take(), "nobody else looks at the clock");
        assert_eq!(read.await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    });
}

#[test]
fn what_came_in_time_is_read_even_if_the_user_is_late() {
    let timeout = Duration::from_millis(50);
    let config = config_without_keepalive().close_timeout(timeout);
    on_transports(&IMMEDIATE, &config, async |mut ours, mut peer| {
        ours.close().await.unwrap();
        peer.send(Frame::binary("in time")).await;
        peer.send(Frame::close(1000, "")).await;
        // Nobody reads for longer than the peer has time to answer. It has answered.
        std::thread::sleep(timeout * 2);
        let (data, end) = read_to_end(&mut ours).await;
        assert_eq!(data, b"in time");
        end.unwrap();
    });
}

#[test]
fn a_close_that_is_dropped_goes_on_with_the_next_read() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let full = pin!(async { while ours.write(&[0; 4096]).await.is_ok() {} });
            assert!(poll_until_idle(full).is_pending());
            // It has to wait for room, and is dropped while it does.
            assert!(poll_until_idle(pin!(ours.close())).is_pending());
            let (_, code, _) = while_reading(&mut ours, peer.until_close()).await;
            assert_eq!(code, 1000);
            peer.send(Frame::close(1000, "")).await;
            read_to_end(&mut ours).await.1.unwrap();
        },
    );
}

#[test]
fn a_stream_that_is_dropped_without_a_close_looks_cut() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.write_all(b"flushed").await.unwrap();
        ours.flush().await.unwrap();
        ours.write_all(b"not flushed").await.unwrap();
        drop(ours);
        assert_eq!(peer.receive(7).await.0, b"flushed");
        peer.expect_end().await;
    });
}

#[test]
fn tokio_shutdown_is_the_same_close() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.write_all(b"data").await.unwrap();
        tokio::io::AsyncWriteExt::shutdown(&mut ours).await.unwrap();
        let (data, code, _) = peer.until_close().await;
        assert_eq!((data.as_slice(), code), (&b"data"[..], 1000));
    });
}

#[test]
fn the_answer_to_the_peers_close_is_not_left_in_a_buffer_below() {
    for role in [Role::Server, Role::Client] {
        block_on(timeout(async {
            let (ours, theirs) = pipe(PIPE_CAPACITY);
            let mut ours =
                from_raw_socket(BufWriter::new(ours), role, config_without_keepalive()).await;
            let mut peer = RawPeer::new(theirs, role.other());
            peer.send(&Frame::close(1000, "")).await;
            assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
            assert_eq!(peer.next().await, Some(Frame::close(1000, "")));
            assert_eq!(peer.next().await, None);
        }));
    }
}

#[test]
fn a_connection_whose_flush_always_waits_is_closed_all_the_same() {
    for role in [Role::Server, Role::Client] {
        for hangs_up in [false, true] {
            block_on(timeout(async {
                let (ours, theirs) = pipe(PIPE_CAPACITY);
                let ours = SlowFlush::new(ours);
                let mut ours = from_raw_socket(ours, role, config_without_keepalive()).await;
                let mut peer = RawPeer::new(theirs, role.other());
                peer.send(&Frame::close(1000, "")).await;
                if hangs_up {
                    peer.close_write().await;
                }
                assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
                assert_eq!(peer.next().await, Some(Frame::close(1000, "")));
                assert_eq!(peer.next().await, None);
            }));
        }
    }
}
