//! The scripted peer of most tests: it sends and receives frames over a byte stream, or their
//! messages over the transport in memory, so that one script serves for both.

use std::future::poll_fn;

use ws_framed::{CloseFrame, Message, WsErr};

use crate::{
    Frame, MemoryEnd, RawPeer,
    frame::{BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT},
};

/// A scripted peer.
#[derive(Debug)]
pub enum Peer {
    Raw(RawPeer),
    Memory {
        end: MemoryEnd,
        /// The fragments sent so far of a message that is not complete.
        partial: Option<Frame>,
    },
}

impl Peer {
    /// A peer over the transport in memory.
    pub fn memory(end: MemoryEnd) -> Self {
        Self::Memory { end, partial: None }
    }

    pub async fn send(&mut self, frame: Frame) {
        match self {
            Self::Raw(peer) => peer.send(&frame).await,
            Self::Memory { end, partial } => {
                let mut delivery = joined(partial, frame).map(|frame| Ok(message(frame)));
                poll_fn(|cx| end.poll_send(cx, &mut delivery))
                    .await
                    .unwrap();
            }
        }
    }

    pub async fn send_all(&mut self, frames: impl IntoIterator<Item = Frame>) {
        for frame in frames {
            self.send(frame).await;
        }
    }

    /// Sends no more, but goes on reading.
    pub async fn close_write(&mut self) {
        match self {
            Self::Raw(peer) => peer.close_write().await,
            Self::Memory { end, .. } => end.close_write(),
        }
    }

    /// The next frame; `None` at the end of the connection.
    pub async fn next(&mut self) -> Option<Frame> {
        match self {
            Self::Raw(peer) => peer.next().await,
            Self::Memory { end, .. } => poll_fn(|cx| end.poll_receive(cx))
                .await
                .map(|delivery| frame(delivery.unwrap())),
        }
    }

    /// The next frame must be this one.
    pub async fn expect(&mut self, frame: Frame) {
        assert_eq!(self.next().await, Some(frame));
    }

    /// The connection must end now.
    pub async fn expect_end(&mut self) {
        assert_eq!(self.next().await, None, "the connection goes on");
    }

    /// This many bytes of data, and the lengths of the messages that they came in.
    pub async fn receive(&mut self, len: usize) -> (Vec<u8>, Vec<usize>) {
        let (mut data, mut lens) = (Vec::new(), Vec::new());
        while data.len() < len {
            let frame = self.next().await.expect("more data");
            assert!(frame.fin && frame.opcode == BINARY, "{frame:?} is no data");
            lens.push(frame.payload.len());
            data.extend(frame.payload);
        }
        assert_eq!(data.len(), len, "too much data");
        (data, lens)
    }

    /// The code and reason of the close frame, which must come, and the data before it.
    pub async fn until_close(&mut self) -> (Vec<u8>, u16, String) {
        let mut data = Vec::new();
        loop {
            let frame = self.next().await.expect("a close frame before the end");
            match frame.opcode {
                BINARY => data.extend(frame.payload),
                CLOSE => {
                    let (code, reason) = frame.close_code();
                    return (data, code, reason);
                }
                _ => {}
            }
        }
    }

    /// The code of the close frame, which is replied to. Disconnects.
    pub async fn expect_close_and_reply(mut self) -> u16 {
        let (_, code, reason) = self.until_close().await;
        self.send(Frame::close(code, &reason)).await;
        code
    }

    /// The code of the close frame, which must come before any data and be the last frame. Drops
    /// the connection.
    pub async fn expect_close(mut self) -> u16 {
        let (data, code, _) = self.until_close().await;
        assert!(data.is_empty(), "data before the close frame");
        self.expect_end().await;
        code
    }

    /// Puts an error in the place of a message, where there are no frames to get wrong.
    pub async fn send_error(&mut self, error: WsErr) {
        let Self::Memory { end, .. } = self else {
            panic!("send a bad frame");
        };
        let mut delivery = Some(Err(error));
        poll_fn(|cx| end.poll_send(cx, &mut delivery))
            .await
            .unwrap();
    }

    /// The raw frames and bytes below, where there are some.
    pub fn raw(&mut self) -> &mut RawPeer {
        match self {
            Self::Raw(peer) => peer,
            Self::Memory { .. } => panic!("there is nothing below the messages"),
        }
    }
}

/// Joins fragments.
fn joined(partial: &mut Option<Frame>, frame: Frame) -> Option<Frame> {
    if frame.opcode > BINARY {
        return Some(frame);
    }
    let mut message = match partial.take() {
        Some(mut begun) => {
            assert_eq!(frame.opcode, CONTINUATION);
            begun.payload.extend(frame.payload);
            begun
        }
        None => frame.clone(),
    };
    message.fin = frame.fin;
    if !message.fin {
        *partial = Some(message);
        return None;
    }
    Some(message)
}

fn message(frame: Frame) -> Message {
    let payload = frame.payload.as_slice();
    match frame.opcode {
        BINARY => Message::Binary(frame.payload.into()),
        TEXT => Message::Text(String::from_utf8(frame.payload).unwrap()),
        PING => Message::Ping(payload.try_into().unwrap()),
        PONG => Message::Pong(payload.try_into().unwrap()),
        CLOSE if payload.is_empty() => Message::Close(None),
        CLOSE => {
            let (code, reason) = frame.close_code();
            Message::Close(Some(CloseFrame::from_peer(code.into(), reason)))
        }
        _ => panic!("{frame:?} is no message"),
    }
}

fn frame(message: Message) -> Frame {
    match message {
        Message::Binary(data) => Frame::binary(data.to_vec()),
        Message::Text(text) => Frame::text(text),
        Message::Ping(payload) => Frame::ping(payload.as_bytes().to_vec()),
        Message::Pong(payload) => Frame::pong(payload.as_bytes().to_vec()),
        Message::Close(None) => Frame::bare_close(),
        Message::Close(Some(frame)) => Frame::close(frame.code().into(), frame.reason()),
        other => panic!("{other:?} is new"),
    }
}
