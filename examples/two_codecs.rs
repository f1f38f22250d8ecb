//! One room, two codecs: JSON for pages, a message for each value, and Postcard for programs with
//! this library. Both ends agree on one in the handshake, and one type serves both. What is said is
//! encoded once for all members, or refused before any of them gets it. A client that has nothing
//! in common with the server gets the difference.
//!
//! Run it with `cargo run --example two_codecs --features json,postcard`.

use std::{
    error::Error,
    sync::{Arc, Mutex},
};

use futures::{SinkExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::mpsc};
use ws_framed::{
    Acceptor, AnyCodec, CloseCode, CloseFrame, CodecError, Connector, Contract, Contracts, Encoded,
    Json, Message, Postcard, WsErr, WsFramed, WsHandle, WsReceiver, WsSender,
};

#[derive(Serialize, Deserialize, Debug)]
struct Said {
    by: String,
    text: String,
}

/// One member of the room, whatever its codec.
type Member = WsFramed<Said, AnyCodec<Said>>;
type ToMember = Encoded<AnyCodec<Said>>;

/// The limit of one `Said`, in bytes. It is part of what is agreed on.
const MAX_LEN: usize = 1024;

/// How many items a member may be behind.
const QUEUE: usize = 32;

/// The contracts of the chat, the preferred one first.
fn codecs() -> Result<Contracts<Said>, WsErr> {
    Contracts::new("chat", 2)
        .framed(Postcard::new(MAX_LEN))?
        .per_message(Json::new(MAX_LEN))
}

#[derive(Default)]
struct Room {
    members: Mutex<Vec<(mpsc::Sender<ToMember>, WsHandle)>>,
}

impl Room {
    fn join(&self, queue: mpsc::Sender<ToMember>, handle: WsHandle) {
        self.members.lock().unwrap().push((queue, handle));
    }

    /// A member whose queue is full is too slow: its connection is closed, and ends when the member
    /// takes nothing for `close_timeout`.
    fn tell(&self, said: &ToMember) -> Result<(), WsErr> {
        let slow = CloseFrame::new(CloseCode::POLICY_VIOLATION, "too slow")?;
        self.members.lock().unwrap().retain(|(queue, handle)| {
            let is_in_time = queue.try_send(said.clone()).is_ok();
            if !is_in_time {
                let _ = handle.close(slow.clone());
            }
            is_in_time
        });
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);
    tokio::spawn(serve(listener));

    // What a page does: `new WebSocket(url, "chat.v2.json.1024.message")`.
    let page = Connector::new().contract("chat.v2.json.1024.message".parse()?);
    let mut page = page.connect(&url).await?.messages();
    // A program that has both codecs.
    let codecs = codecs()?;
    let program = Connector::new().contracts(&codecs).connect(&url).await?;
    println!("the program agreed on {:?}", program.subprotocol());
    let mut program = program.framed_by(&codecs)?;

    // The answer shows that the program is a member.
    program.send(said("Bob", "Hello!")).await?;
    println!("Bob receives {:?}", program.try_next().await?);
    page.send(Message::Text(r#"{"by":"Ann","text":"Hi!"}"#.into()))
        .await?;
    println!("Bob receives {:?}", program.try_next().await?);
    println!("the page gets {:?}", page.try_next().await?);

    // An item that exceeds the limit of JSON only. Its sender gets the error.
    program.send(said("Bob", &"x".repeat(1010))).await?;
    println!("Bob receives {:?}", program.try_next().await?);

    // A program of last year.
    let old = Contract::new("chat", 1, &Postcard::<Said>::new(MAX_LEN))?;
    let rejected = Connector::new().contract(old).connect(&url).await;
    if let Err(WsErr::Rejected(response)) = rejected {
        println!("an old client gets: {}", response.reason());
    }
    program.close_with(CloseFrame::normal()).await?;
    page.close_with(CloseFrame::normal()).await?;
    Ok(())
}

fn said(by: &str, text: &str) -> Said {
    let (by, text) = (by.to_owned(), text.to_owned());
    Said { by, text }
}

async fn serve(listener: TcpListener) -> Result<(), WsErr> {
    let codecs = Arc::new(codecs()?);
    let acceptor = Acceptor::new().contracts(&*codecs);
    let room = Arc::new(Room::default());
    while let Ok((socket, _)) = listener.accept().await {
        let (acceptor, codecs, room) = (acceptor.clone(), codecs.clone(), room.clone());
        tokio::spawn(async move {
            // For a server, it is ordinary traffic that a client is refused.
            let member = acceptor.accept(socket).await?.framed_by(&codecs)?;
            chat(member, &codecs, &room).await
        });
    }
    Ok(())
}

/// Reads the messages of a member, while another task sends those of the others.
async fn chat(member: Member, codecs: &Contracts<Said>, room: &Room) -> Result<(), CodecError> {
    let (outbox, queue) = mpsc::channel(QUEUE);
    room.join(outbox.clone(), member.handle());
    let (sender, receiver) = member.into_split();
    let writing = tokio::spawn(send_all(sender, queue));
    let end = listen(receiver, codecs, room, outbox).await;
    writing.abort();
    end
}

async fn listen(
    mut member: WsReceiver<Member>,
    codecs: &Contracts<Said>,
    room: &Room,
    outbox: mpsc::Sender<ToMember>,
) -> Result<(), CodecError> {
    while let Some(item) = member.try_next().await? {
        match codecs.encode(&item) {
            Ok(said) => room.tell(&said)?,
            // Only its sender gets the error.
            Err(error) => {
                if let Ok(notice) = codecs.encode(&said("the server", &error.to_string())) {
                    let _ = outbox.try_send(notice);
                }
            }
        }
    }
    Ok(())
}

/// Sends what is in the queue, and flushes when it is empty.
async fn send_all(
    mut member: WsSender<Member>,
    mut queue: mpsc::Receiver<ToMember>,
) -> Result<(), CodecError> {
    while let Some(said) = queue.recv().await {
        // The reading half tells why a connection has ended.
        member.feed_encoded(&said).await?;
        if queue.is_empty() {
            member.flush().await?;
        }
    }
    Ok(())
}
