//! The opening handshake, fed with raw bytes, and the connection that may follow.

use std::{
    future::Future,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use async_tungstenite::tungstenite::handshake::derive_accept_key;
use futures::io::{AsyncRead, AsyncWrite};
use tokio_util::compat::FuturesAsyncReadCompatExt;
use ws_framed::{Acceptor, Config, Connector, WsErr};

use crate::{Chunks, HEAD_END, Script, connection::read_to_end, drive, script::Output};

/// The placeholder in a recorded response for the `Sec-WebSocket-Accept` of the request.
pub const ANY_ACCEPT: &[u8] = b"**the right answer goes here";

/// A server that gets `input`.
pub fn accept(input: &[u8]) {
    let seen = Chunks::all(input).map(|chunks| {
        let (script, output) = Script::new(input, chunks);
        let acceptor = Acceptor::new()
            .config(config())
            .header("Server", "fuzz")
            .subprotocol("chat.v2")
            .subprotocol("chat.v1");
        let mut opening = pin!(acceptor.accept(script.compat()));
        match drive(|cx| opening.as_mut().poll(cx)) {
            Ok(mut stream) => {
                assert!(output.lock().unwrap().starts_with(b"HTTP/1.1 101 "));
                let subprotocol = stream.subprotocol().map(str::to_owned);
                Ok((subprotocol, read_to_end(&mut stream)))
            }
            Err(WsErr::Rejected(response)) => {
                let status = response.status().as_u16();
                let expected = format!("HTTP/1.1 {status} ");
                assert!(output.lock().unwrap().starts_with(expected.as_bytes()));
                Err(Some(status))
            }
            Err(WsErr::Handshake(_)) => {
                assert!(output.lock().unwrap().is_empty());
                Err(None)
            }
            Err(error) => panic!("an error without a cause: {error:?}"),
        }
    });
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

/// A client that gets `input` as the answer to its request.
pub fn connect(input: &[u8]) {
    let seen = Chunks::all(input).map(|chunks| {
        let (script, output) = Script::new(input, chunks);
        let server = Server {
            script,
            output,
            has_answered: false,
        };
        let connector = Connector::new().config(config()).subprotocol("chat.v2");
        let mut opening = pin!(connector.connect_over(server.compat(), "ws://localhost/"));
        match drive(|cx| opening.as_mut().poll(cx)) {
            Ok(mut stream) => Ok(read_to_end(&mut stream)),
            // The reason may contain the key, which is random but always of the same length.
            Err(error @ (WsErr::Rejected(_) | WsErr::Handshake(_) | WsErr::NoSubprotocol)) => {
                Err((error.kind(), error.to_string().len()))
            }
            Err(error) => panic!("an error without a cause: {error:?}"),
        }
    });
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

fn config() -> Config {
    // Time is of no importance here.
    Config::default().max_recv_message_len(1024).keepalive(None)
}

/// Puts the right key, which no fuzzer can guess, into the response.
struct Server {
    script: Script,
    output: Output,
    has_answered: bool,
}

impl Server {
    fn answer(&mut self) {
        let request = self.output.lock().unwrap();
        if self.has_answered || !request.ends_with(HEAD_END) {
            return;
        }
        self.has_answered = true;
        let request = String::from_utf8_lossy(&request);
        let key = request
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("Sec-WebSocket-Key"));
        let (_, key) = key.expect("a request has a key");
        let answer = &mut self.script.input;
        let place = answer
            .windows(ANY_ACCEPT.len())
            .position(|at| at == ANY_ACCEPT);
        if let Some(at) = place {
            answer[at..][..ANY_ACCEPT.len()]
                .copy_from_slice(derive_accept_key(key.as_bytes()).as_bytes());
        }
    }
}

impl AsyncRead for Server {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.script).poll_read(cx, buf)
    }
}

impl AsyncWrite for Server {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.script).poll_write(cx, buf))?;
        self.answer();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.script).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.script).poll_close(cx)
    }
}

/// The lines of `Sec-WebSocket-Extensions`.
pub fn extensions(input: &[u8]) {
    ws_framed::__fuzzing::check_extensions(input);
}
