//! A WebSocket of your own below the views: whatever gives messages and takes messages, here a pair of channels.
//!
//! Run it with `cargo run --example custom_transport`.

use std::{
    error::Error,
    io,
    task::{Context, Poll, ready},
};

use futures::{
    AsyncReadExt, AsyncWriteExt, Sink, SinkExt, Stream, StreamExt, channel::mpsc,
    executor::block_on, future::join,
};
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, CodecError, Config, Lines, Message, MessageTransport,
    WsErr, WsStream,
};

/// The whole of it. A library that answers pings and close frames itself needs no `answer` and no `has_closed`.
struct Custom<R, W> {
    incoming: R,
    outgoing: W,
    /// One is enough, so a peer that pings and never reads costs no memory: a newer pong stands for an older one
    /// (RFC 6455 section 5.5.3), and nothing follows a close frame.
    answer: Option<Message>,
    /// Our close frame went out: nothing is answered any more.
    has_closed: bool,
    /// The peer's came, or an error: what follows is thrown away.
    is_deaf: bool,
}

impl<R, W> MessageTransport for Custom<R, W>
where
    R: Stream<Item = Result<Message, WsErr>> + Unpin,
    W: Sink<Message, Error = WsErr> + Unpin,
{
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        while let Some(message) = ready!(self.incoming.poll_next_unpin(cx)) {
            if self.is_deaf {
                continue;
            }
            self.is_deaf = matches!(message, Ok(Message::Close(_)) | Err(_));
            if let (Ok(message), false) = (&message, self.has_closed) {
                match message {
                    Message::Ping(data) => self.answer = Some(Message::Pong(data.clone())),
                    Message::Close(_) => self.answer = Some(message.clone()),
                    _ => {}
                }
            }
            return Poll::Ready(Some(message));
        }
        Poll::Ready(None)
    }
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.outgoing.poll_ready_unpin(cx)
    }
    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        self.has_closed = matches!(message, Message::Close(_));
        self.outgoing.start_send_unpin(message)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        if self.answer.is_some() {
            ready!(self.outgoing.poll_ready_unpin(cx))?;
        }
        if let Some(answer) = self.answer.take() {
            self.outgoing.start_send_unpin(answer)?;
        }
        self.outgoing.poll_flush_unpin(cx)
    }
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.poll_flush(cx))?;
        self.outgoing.poll_close_unpin(cx)
    }
}

/// One end of a connection that is nothing but two channels.
fn open(
    incoming: mpsc::Receiver<Message>,
    outgoing: mpsc::Sender<Message>,
) -> Result<WsStream, WsErr> {
    let transport = Custom {
        incoming: incoming.map(Ok),
        outgoing: outgoing.sink_map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe).into()),
        answer: None,
        has_closed: false,
        is_deaf: false,
    };
    let config = Config::default().max_recv_message_len(1000);
    Ok(WsStream::with_config(transport, config)?.boxed())
}

fn pair() -> Result<(WsStream, WsStream), WsErr> {
    let (sender, receiver) = mpsc::channel(8);
    let (back_sender, back_receiver) = mpsc::channel(8);
    Ok((open(back_receiver, sender)?, open(receiver, back_sender)?))
}

/// Items both ways, a ping, and a goodbye.
async fn talk() -> Result<(), Box<dyn Error>> {
    let (here, there) = pair()?;
    let handle = here.handle();
    let mut here = here.framed(Lines::new(1024));
    let mut there = there.framed(Lines::new(1024));
    let echo = async {
        while let Some(line) = there.next().await {
            there.send(line?.to_uppercase()).await?;
        }
        Ok::<_, CodecError>(())
    };
    let read = async {
        here.send("hello".to_owned()).await?;
        while let Some(line) = here.next().await {
            println!("{}", line?);
        }
        Ok::<_, CodecError>(())
    };
    let ping = async {
        let round_trip = handle.ping().await?;
        handle.close(CloseFrame::normal())?;
        Ok::<_, WsErr>(round_trip)
    };
    let ((echoed, read), round_trip) = join(join(echo, read), ping).await;
    echoed?;
    read?;
    let outcome = handle.closed().await;
    println!(
        "a round trip takes {:?}, and the end was {outcome:?}",
        round_trip?
    );
    assert!(matches!(
        outcome,
        CloseOutcome::Clean {
            code: CloseCode::NORMAL,
            ..
        }
    ));
    assert_eq!(handle.stats().bytes_received, 6);
    Ok(())
}

/// The limits are the link's, on any transport.
async fn say_too_much() -> Result<(), Box<dyn Error>> {
    let (mut here, mut there) = pair()?;
    let mut nothing = Vec::new();
    let say = async {
        here.write_all(&[0; 1001]).await?;
        here.read(&mut [0]).await
    };
    let (told, heard) = join(say, there.read_to_end(&mut nothing)).await;
    let (Err(told), Err(heard)) = (told, heard) else {
        return Err("both ends were to fail".into());
    };
    println!("there: {heard}\nhere: {told}");
    assert!(matches!(
        WsErr::find_in(&heard),
        Some(WsErr::MessageTooLarge {
            len: 1001,
            max: 1000
        })
    ));
    assert!(matches!(
        WsErr::find_in(&told),
        Some(WsErr::Aborted(frame)) if frame.code() == CloseCode::TOO_LARGE
    ));
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    block_on(talk())?;
    block_on(say_too_much())
}
