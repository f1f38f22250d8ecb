//! A chat over real sockets: one server, two clients, typed messages that differ each way.
//!
//! Run it with `cargo run --example typed_chat`.

use futures::{SinkExt, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::broadcast};
use ws_framed::{Bincode, CloseFrame, CodecError, WsFramed, accept, connect};

/// What a client says.
#[derive(Serialize, Deserialize)]
enum ClientMsg {
    Join { name: String },
    Say { text: String },
}

/// What the server says.
#[derive(Serialize, Deserialize, Clone, Debug)]
enum ServerMsg {
    Joined { name: String, present: u32 },
    Said { name: String, text: String },
}

/// No message may be longer than this, in bytes. There is no default: only you know your messages.
const MAX_FRAME_LEN: usize = 16 * 1024;

/// `Bincode<In, Out>`: what comes in, what goes out. The two sides mirror each other.
type ServerSide = WsFramed<ClientMsg, Bincode<ClientMsg, ServerMsg>>;
type ClientSide = WsFramed<ServerMsg, Bincode<ServerMsg, ClientMsg>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);
    let server = tokio::spawn(serve(listener));

    let mut ann = join(&url, "Ann").await?;
    let mut bob = join(&url, "Bob").await?;
    ann.send(ClientMsg::Say {
        text: "Hello, Bob!".into(),
    })
    .await?;
    bob.send(ClientMsg::Say {
        text: "Hi, Ann.".into(),
    })
    .await?;

    // Ann sees Bob arrive, and both see both messages.
    for (name, client, expected) in [("Ann", &mut ann, 3), ("Bob", &mut bob, 2)] {
        for message in client.take(expected).try_collect::<Vec<_>>().await? {
            println!("{name} sees {message:?}");
        }
    }

    // Performs the closing handshake, and returns its outcome.
    println!(
        "Ann leaves: {:?}",
        ann.close_with(CloseFrame::normal()).await?
    );
    println!(
        "Bob leaves: {:?}",
        bob.close_with(CloseFrame::normal()).await?
    );
    server.await??;
    Ok(())
}

/// Connects, and waits until the server has announced it: from then on it receives what each client says.
async fn join(
    url: &str,
    name: &str,
) -> Result<ClientSide, Box<dyn std::error::Error + Send + Sync>> {
    let mut client = connect(url).await?.framed(Bincode::new(MAX_FRAME_LEN));
    client.send(ClientMsg::Join { name: name.into() }).await?;
    let welcome = client.try_next().await?.ok_or("the server closed")?;
    println!("{name} sees {welcome:?}");
    Ok(client)
}

/// Serves two clients, to their end.
async fn serve(listener: TcpListener) -> Result<(), CodecError> {
    let (room, _) = broadcast::channel(16);
    let mut clients = tokio::task::JoinSet::new();
    for present in 1..=2 {
        let (socket, _) = listener.accept().await?;
        let stream = accept(socket).await.map_err(std::io::Error::from)?;
        clients.spawn(talk(
            stream.framed(Bincode::new(MAX_FRAME_LEN)),
            room.clone(),
            present,
        ));
    }
    while let Some(client) = clients.join_next().await {
        client.map_err(std::io::Error::other)??;
    }
    Ok(())
}

/// Passes the messages of one client to the room, and those of the room to the client.
async fn talk(
    client: ServerSide,
    room: broadcast::Sender<ServerMsg>,
    present: u32,
) -> Result<(), CodecError> {
    let (mut to_client, mut from_client) = client.split();
    let mut messages = room.subscribe();
    let mut who = String::new();
    loop {
        tokio::select! {
            message = from_client.try_next() => match message? {
                Some(ClientMsg::Join { name }) => {
                    who.clone_from(&name);
                    let _ = room.send(ServerMsg::Joined { name, present });
                }
                Some(ClientMsg::Say { text }) => {
                    let _ = room.send(ServerMsg::Said { name: who.clone(), text });
                }
                None => return Ok(()), // The client has closed, and was answered.
            },
            Ok(message) = messages.recv() => to_client.send(message).await?,
        }
    }
}
