//! Nobody hangs: not for a flush that was forgotten, not for a wakeup that another task got.

use std::{pin::pin, sync::Arc};

use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, future};
use support::{
    Frame, NO_TIMERS, Role, Setup::Tcp, WakeFlag, assert_both_idle, assert_idle,
    config_without_keepalive, on_all_transports, on_transports, poll_until_idle, while_reading,
};

#[test]
fn a_read_that_waits_sends_what_is_gathered_first() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        for request in [&b"question"[..], b"again"] {
            ours.write_all(request).await.unwrap();
            while_reading(&mut ours, peer.expect(Frame::binary(request))).await;
            peer.send(Frame::binary("answer")).await;
            ours.read_exact(&mut [0; 6]).await.unwrap();
        }
    });
}

#[test]
fn a_buffered_read_that_waits_sends_what_is_gathered_first() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.write_all(b"question\n").await.unwrap();
        let mut line = String::new();
        let script = async {
            peer.expect(Frame::binary("question\n")).await;
            peer.send(Frame::binary("answer\n")).await;
        };
        let (read, ()) = future::join(ours.read_line(&mut line), script).await;
        read.unwrap();
        assert_eq!(line, "answer\n");
    });
}

#[test]
fn a_write_wakes_a_reader_that_has_parked_to_send_it() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |ours, mut peer| {
            let (mut reader, mut writer) = ours.split();
            let woken = Arc::new(WakeFlag::default());
            let mut buf = [0; 8];
            let mut read = pin!(reader.read(&mut buf));
            assert_idle(read.as_mut(), &woken);
            writer.write_all(b"not flushed").await.unwrap();
            assert!(woken.take(), "nobody else will send it");
            // As often as it is woken, on its task.
            assert!(poll_until_idle(read.as_mut()).is_pending());
            peer.expect(Frame::binary("not flushed")).await;
            peer.send(Frame::binary("x")).await;
            assert_eq!(read.await.unwrap(), 1);
        },
    );
}

#[test]
fn a_writer_that_waits_is_woken_whatever_the_reader_does() {
    let config = config_without_keepalive().max_send_message_len(4096);
    on_transports(&NO_TIMERS, &config, async |ours, mut peer| {
        let (mut reader, mut writer) = ours.split();
        let woken = Arc::new(WakeFlag::default());
        let mut buf = [0; 8];
        let mut read = pin!(reader.read(&mut buf));
        let mut writing = pin!(async { while writer.write(&[0; 4096]).await.is_ok() {} });
        // The transport sees the waker of the link last in the poll of the reader.
        assert_both_idle(writing.as_mut(), &woken, read.as_mut());
        peer.next().await.expect("data");
        assert!(woken.take(), "there is room again");
    });
}

#[test]
fn two_tasks_need_no_flush() {
    let config = config_without_keepalive();
    let places = [Tcp(Role::Server), Tcp(Role::Client)];
    on_transports(&places, &config, async |ours, mut peer| {
        let (mut reader, mut writer) = ours.split();
        let reading = tokio::spawn(async move {
            let mut data = Vec::new();
            reader.read_to_end(&mut data).await.unwrap();
            data
        });
        for round in 0..50_u8 {
            writer.write_all(&[round]).await.unwrap();
            peer.expect(Frame::binary([round])).await;
            peer.send(Frame::binary([round])).await;
        }
        peer.send(Frame::close(1000, "")).await;
        assert_eq!(reading.await.unwrap(), (0..50).collect::<Vec<u8>>());
    });
}
