//! Writing: how many writes, from where, and what is kept.

use std::{io::ErrorKind, task::Poll};

use bytes::BytesMut;

use super::{
    Read, Script, Socket, binary, flush, message, next, packed, ping, poll, shared, socket, wire,
};
use crate::{
    error::WsErr,
    message::{HEADROOM, Message},
    protocol::Role,
    transport::{
        MessageTransport,
        socket::{COPY_LEN, MAX_UNSENT},
    },
};

fn send(socket: &mut Socket<Script>, message: Message) {
    socket.start_send(message).unwrap();
}

fn send_slice(socket: &mut Socket<Script>, data: &[u8]) -> Poll<Result<usize, WsErr>> {
    poll(|cx| socket.poll_send_slice(cx, data))
}

fn send_buffer(socket: &mut Socket<Script>, buffer: &mut BytesMut) {
    let sent = poll(|cx| Poll::Ready(socket.start_send_buffer(cx, buffer, HEADROOM)));
    assert!(matches!(sent, Poll::Ready(Ok(()))));
}

/// What the peer of `role` receives.
fn received(role: Role, written: Vec<u8>) -> Vec<Message> {
    let mut socket = socket(role.other(), Script::new([Read::Bytes(written)]));
    let mut messages = Vec::new();
    loop {
        match next(&mut socket) {
            Poll::Ready(Some(message)) => messages.push(message.unwrap()),
            Poll::Ready(None) => return messages,
            Poll::Pending => {}
        }
    }
}

/// A flush of several messages is one vectored write; without those, short messages share one.
#[test]
fn one_write_per_flush() {
    for role in [Role::Client, Role::Server] {
        let messages = [
            packed(b"packed"),
            binary("unique"),
            ping(b"1"),
            shared("shared"),
            packed(&[1; 5000]),
            shared([2; 4000]),
            Message::Text("last".to_owned()),
        ];
        for is_vectored in [true, false] {
            let mut script = Script::new([]);
            script.is_vectored = is_vectored;
            let mut socket = socket(role, script);
            messages
                .iter()
                .for_each(|message| send(&mut socket, message.clone()));
            assert!(flush(&mut socket).is_ready());
            let writes = if is_vectored { 1 } else { 4 };
            assert_eq!((socket.io.writes.len(), socket.io.flushes), (writes, 1));
            assert_eq!(received(role, socket.io.written()), messages);
        }
    }
}

/// A packed message leaves in one slice, and a flush without messages writes and flushes nothing.
#[test]
fn packed_message_is_one_slice() {
    for role in [Role::Client, Role::Server] {
        let mut socket = socket(role, Script::new([]));
        send(&mut socket, packed(&[7; 10_000]));
        assert!(flush(&mut socket).is_ready());
        assert!(flush(&mut socket).is_ready());
        let lens: Vec<usize> = socket.io.writes.iter().map(Vec::len).collect();
        assert_eq!((lens, socket.io.flushes), (vec![1], 1));
    }
}

/// `poll_ready` waits while much is unsent, and goes on when the stream takes it.
#[test]
fn write_buffer_is_bounded() {
    for role in [Role::Client, Role::Server] {
        let mut script = Script::new([]);
        script.window = 0;
        let mut socket = socket(role, script);
        let mut sent = 0;
        while poll(|cx| socket.poll_ready(cx)).is_ready() {
            send(&mut socket, binary([sent; 1000]));
            sent += 1;
        }
        assert!(usize::from(sent) * 1000 < MAX_UNSENT + 1000, "{sent}");
        assert!(flush(&mut socket).is_pending());
        socket.io.window = usize::MAX;
        assert!(poll(|cx| socket.poll_ready(cx)).is_ready());
        assert!(flush(&mut socket).is_ready());
        let messages: Vec<Message> = (0..sent).map(|byte| binary([byte; 1000])).collect();
        assert_eq!(received(role, socket.io.written()), messages);
        let sent = socket.io.written().len() as u64;
        assert_eq!(socket.progress().sent, Some(sent));
    }
}

/// Writes of any length lose and repeat nothing.
#[test]
fn partial_writes() {
    for role in [Role::Client, Role::Server] {
        for step in [1, 3, 100, 7000] {
            let messages = [
                packed(&[1; 3000]),
                shared([2; 5000]),
                ping(b"3"),
                binary([4; 2500]),
            ];
            let mut socket = socket(role, Script::new([]));
            socket.io.window = 0;
            messages
                .iter()
                .for_each(|message| send(&mut socket, message.clone()));
            while flush(&mut socket).is_pending() {
                socket.io.window = step;
            }
            assert_eq!(received(role, socket.io.written()), messages);
        }
    }
}

/// A server's long slice is written from where it is, and only what is left over is copied.
#[test]
fn slices_are_not_copied() {
    let data: Vec<u8> = (0..4 * COPY_LEN).map(|at| (at % 251) as u8).collect();
    for window in [usize::MAX, 5, COPY_LEN, 0] {
        let mut server = socket(Role::Server, Script::new([]));
        send(&mut server, ping(b"before"));
        server.io.window = window;
        let sent = send_slice(&mut server, &data);
        assert!(matches!(sent, Poll::Ready(Ok(len)) if len == data.len()));
        if window > 0 {
            assert_eq!(server.io.addresses.last(), Some(&data.as_ptr()));
        }
        server.io.window = usize::MAX;
        assert!(flush(&mut server).is_ready());
        let written = server.io.written();
        assert_eq!(server.progress().sent, Some(written.len() as u64));
        let messages = [ping(b"before"), binary(&*data)];
        assert_eq!(received(Role::Server, written), messages, "{window}");
    }
}

/// The only message before a flush is written from the buffer that it is in, which can be used
/// again. What the stream does not take is copied, and so is what comes behind other messages.
#[test]
fn only_message_is_framed_in_place() {
    for role in [Role::Client, Role::Server] {
        let len = if role == Role::Client { 6 + 5 } else { 2 + 5 };
        for window in 0..=len {
            let mut script = Script::new([]);
            script.window = window;
            let mut socket = socket(role, script);
            let mut buffer = BytesMut::from(&[&[7; HEADROOM][..], b"first"].concat()[..]);
            let frame = buffer.as_ptr().wrapping_add(HEADROOM + 5 - len);
            send_buffer(&mut socket, &mut buffer);
            assert!(buffer.is_empty());
            if window > 0 {
                assert_eq!(socket.io.addresses, [frame]);
            }
            assert_eq!(flush(&mut socket).is_ready(), window == len);
            socket.io.window = usize::MAX;
            send(&mut socket, packed(b"second"));
            buffer.extend_from_slice(&[&[7; HEADROOM][..], b"third"].concat());
            send_buffer(&mut socket, &mut buffer);
            assert!(flush(&mut socket).is_ready());
            let expected = [binary("first"), binary("second"), binary("third")];
            assert_eq!(received(role, socket.io.written()), expected);
        }
    }
}

/// More headroom than there are bytes is an empty message.
#[test]
fn headroom_is_bounded() {
    for is_queued in [false, true] {
        let mut socket = socket(Role::Client, Script::new([]));
        let mut expected = vec![binary("")];
        if is_queued {
            send(&mut socket, packed(b"before"));
            expected.insert(0, binary("before"));
        }
        send_buffer(&mut socket, &mut BytesMut::from(&[7; HEADROOM - 1][..]));
        assert!(flush(&mut socket).is_ready());
        assert_eq!(received(Role::Client, socket.io.written()), expected);
    }
}

/// A client's slice, a short one, and one without vectored writes, are messages as well.
#[test]
fn slices_that_are_copied() {
    let long = vec![1; 2 * COPY_LEN];
    let mut unvectored = Script::new([]);
    unvectored.is_vectored = false;
    let cases = [
        (Role::Client, &long[..], Script::new([])),
        (Role::Server, &long[..100], Script::new([])),
        (Role::Server, &long[..], unvectored),
    ];
    for (role, data, script) in cases {
        let mut socket = socket(role, script);
        assert!(send_slice(&mut socket, data).is_ready());
        assert!(flush(&mut socket).is_ready());
        assert_eq!(received(role, socket.io.written()), [binary(data)]);
    }
    let mut full = socket(Role::Server, Script::new([]));
    full.io.window = 0;
    assert!(send_slice(&mut full, &long).is_ready());
    assert!(
        send_slice(&mut full, &long).is_pending(),
        "one message at a time"
    );
}

/// A write error is returned by every later write, and reading goes on.
#[test]
fn reading_survives_write_errors() {
    let role = Role::Server;
    let bytes = wire(role, [binary("first"), binary("second")]);
    let mut socket = socket(role, Script::new([Read::Bytes(bytes)]));
    assert_eq!(message(&mut socket), binary("first"));
    socket.io.write_error = Some(ErrorKind::BrokenPipe);
    send(&mut socket, packed(b"lost"));
    for _ in 0..2 {
        assert!(matches!(flush(&mut socket), Poll::Ready(Err(WsErr::Io(_)))));
        let ready = poll(|cx| socket.poll_ready(cx));
        assert!(matches!(ready, Poll::Ready(Err(WsErr::Io(_)))));
        assert!(matches!(
            send_slice(&mut socket, b"more"),
            Poll::Ready(Err(_))
        ));
        assert!(socket.start_send(packed(b"more")).is_err());
    }
    assert_eq!(message(&mut socket), binary("second"));
    assert!(matches!(next(&mut socket), Poll::Ready(None)));
}

/// A stream that takes no byte of a write has failed.
#[test]
fn write_of_nothing_is_an_error() {
    for role in [Role::Client, Role::Server] {
        let mut socket = socket(role, Script::new([]));
        socket.io.takes_nothing = true;
        send(&mut socket, packed(b"lost"));
        let Poll::Ready(Err(WsErr::Io(error))) = flush(&mut socket) else {
            panic!("no error")
        };
        assert_eq!(error.kind(), ErrorKind::WriteZero);
        assert!(socket.start_send(packed(b"more")).is_err());
    }
}

/// Closing sends what is unsent, then closes the writing half; reading goes on.
#[test]
fn close_flushes_first() {
    let role = Role::Server;
    let bytes = wire(role, [binary("late")]);
    let mut socket = socket(role, Script::new([Read::Bytes(bytes)]));
    send(&mut socket, packed(b"last"));
    socket.io.window = 3;
    assert!(poll(|cx| socket.poll_close(cx)).is_pending());
    assert!(!socket.io.is_closed);
    socket.io.window = 100;
    assert!(poll(|cx| socket.poll_close(cx)).is_ready());
    assert!(socket.io.is_closed);
    assert_eq!(received(role, socket.io.written()), [binary("last")]);
    assert_eq!(message(&mut socket), binary("late"));
}
