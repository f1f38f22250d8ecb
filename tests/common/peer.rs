//! The scripted peer of a contract test: frames over a wire, or their messages over the transport in
//! memory, so that one script serves for both.

use std::future::poll_fn;

use ws_framed::{CloseFrame, Message, WsErr};

use super::{
    memory::End,
    raw::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, RawPeer, TEXT},
};

pub enum Peer {
    Raw(RawPeer),
    Memory {
        end: End,
        /// Fragments that were sent, of a message that is not complete.
        partial: Option<Frame>,
    },
}

impl Peer {
    pub async fn send(&mut self, frame: Frame) {
        match self {
            Self::Raw(peer) => peer.send(&frame).await,
            Self::Memory { end, partial } => {
                let mut parcel = whole(partial, frame).map(|frame| Ok(message(frame)));
                poll_fn(|cx| end.poll_put(cx, &mut parcel)).await.unwrap();
            }
        }
    }

    pub async fn send_all(&mut self, frames: impl IntoIterator<Item = Frame>) {
        for frame in frames {
            self.send(frame).await;
        }
    }

    /// Sends no more, but goes on reading.
    pub async fn shut(&mut self) {
        match self {
            Self::Raw(peer) => peer.shut().await,
            Self::Memory { end, .. } => end.shut(),
        }
    }

    /// The next frame; `None` at the end of the connection.
    pub async fn next(&mut self) -> Option<Frame> {
        match self {
            Self::Raw(peer) => peer.next().await,
            Self::Memory { end, .. } => poll_fn(|cx| end.poll_take(cx))
                .await
                .map(|parcel| frame(parcel.unwrap())),
        }
    }

    /// The next frame has to be this one.
    pub async fn expect(&mut self, frame: Frame) {
        assert_eq!(self.next().await, Some(frame));
    }

    /// The connection has to end now.
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

    /// The code and reason of the close frame, which has to come, and the data before it.
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

    /// The code of the close frame, which has to come before any data and be the last frame. Then hangs
    /// up.
    pub async fn hears_close(mut self) -> u16 {
        let (data, code, _) = self.until_close().await;
        assert!(data.is_empty(), "data before the close frame");
        self.expect_end().await;
        code
    }

    /// Puts an error in the place of a message, where there are no frames to get wrong.
    pub async fn break_rule(&mut self, error: WsErr) {
        let Self::Memory { end, .. } = self else {
            panic!("send a bad frame");
        };
        let mut parcel = Some(Err(error));
        poll_fn(|cx| end.poll_put(cx, &mut parcel)).await.unwrap();
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
fn whole(partial: &mut Option<Frame>, frame: Frame) -> Option<Frame> {
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
