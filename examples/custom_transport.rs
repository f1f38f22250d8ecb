//! A WebSocket implementation of your own below the streams: anything that receives and sends whole
//! messages, here a pair of channels.
//!
//! Run it with `cargo run --example custom_transport`.

use std::{
    error::Error,
    io,
    task::{Context, Poll, ready},
};

use futures::{
    AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, channel::mpsc, executor::block_on,
    future::join,
};
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, CodecError, Config, Lines, Message, MessageTransport,
    WsErr, WsStream,
};

/// The whole transport. The connection replies to pings and close frames.
struct Channels {
    incoming: mpsc::Receiver<Message>,
    outgoing: mpsc::Sender<Message>,
}

fn closed(_: mpsc::SendError) -> WsErr {
    io::Error::from(io::ErrorKind::BrokenPipe).into()
}

impl MessageTransport for Channels {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        self.incoming.poll_next_unpin(cx).map(|next| next.map(Ok))
    }
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.outgoing.poll_ready(cx).map_err(closed)
    }
    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        self.outgoing.start_send(message).map_err(closed)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.outgoing.poll_flush_unpin(cx).map_err(closed)
    }
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let flushed = ready!(self.poll_flush(cx));
        self.outgoing.close_channel();
        Poll::Ready(flushed)
    }
}

fn pair() -> Result<(WsStream, WsStream), WsErr> {
    let ((a, b), (c, d)) = (mpsc::channel(8), mpsc::channel(8));
    let open = |outgoing, incoming| {
        let config = Config::default().max_recv_message_len(1000);
        let stream = WsStream::with_config(Channels { incoming, outgoing }, config)?;
        Ok::<_, WsErr>(stream.boxed())
    };
    Ok((open(a, d)?, open(c, b)?))
}

/// Items both ways, a ping, and a close.
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
    println!("round trip: {:?}; outcome: {outcome:?}", round_trip?);
    assert!(matches!(
        outcome,
        CloseOutcome::Clean {
            code: CloseCode::NORMAL_CLOSURE,
            ..
        }
    ));
    assert_eq!(handle.stats().bytes_received, 6);
    Ok(())
}

/// The limits of the connection hold over any transport.
async fn exceed_the_limit() -> Result<(), Box<dyn Error>> {
    let (mut here, mut there) = pair()?;
    let mut nothing = Vec::new();
    let send = async {
        here.write_all(&[0; 1001]).await?;
        here.read(&mut [0]).await
    };
    let (sender, receiver) = join(send, there.read_to_end(&mut nothing)).await;
    let (Err(sender), Err(receiver)) = (sender, receiver) else {
        return Err("both ends were to fail".into());
    };
    println!("receiver: {receiver}\nsender: {sender}");
    assert!(matches!(
        WsErr::find_in(&receiver),
        Some(WsErr::MessageTooLarge {
            len: 1001,
            max: 1000
        })
    ));
    assert!(matches!(
        WsErr::find_in(&sender),
        Some(WsErr::Aborted(frame)) if frame.code() == CloseCode::MESSAGE_TOO_BIG
    ));
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    block_on(talk())?;
    block_on(exceed_the_limit())
}
