//! A chat over real sockets: one server, two clients, typed messages that differ each way.
//!
//! Run it with `cargo run --example typed_chat`.

use futures::{SinkExt, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use tokio::{
    net::TcpListener,
    sync::broadcast::{self, error::RecvError},
};
use ws_framed::{Bincode, CloseCode, CloseFrame, CodecError, WsFramed, WsSender, accept, connect};

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

/// Connects, and waits until the server has announced it: from then on it receives what each client
/// says.
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
async fn serve(listener: TcpListener) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (room, _) = broadcast::channel(16);
    let mut clients = tokio::task::JoinSet::new();
    for present in 1..=2 {
        let (socket, _) = listener.accept().await?;
        let stream = accept(socket).await?;
        clients.spawn(talk(
            stream.framed(Bincode::new(MAX_FRAME_LEN)),
            room.clone(),
            present,
        ));
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    Ok(())
}

/// Passes the messages of one client to the room. A second task passes those of the room to the
/// client.
async fn talk(
    client: ServerSide,
    room: broadcast::Sender<ServerMsg>,
    present: u32,
) -> Result<(), CodecError> {
    let (to_client, mut from_client) = client.into_split();
    let sending = tokio::spawn(send_all(to_client, room.subscribe()));
    let mut who = String::new();
    while let Some(message) = from_client.try_next().await? {
        let message = match message {
            ClientMsg::Join { name } => {
                who.clone_from(&name);
                ServerMsg::Joined { name, present }
            }
            ClientMsg::Say { text } => ServerMsg::Said {
                name: who.clone(),
                text,
            },
        };
        let _ = room.send(message);
    }
    // The client has closed, and the connection has replied.
    sending.abort();
    Ok(())
}

/// Sends what is in the queue, and flushes when it is empty. A client that is too slow for it is
/// closed; keepalive ends a client that takes nothing.
async fn send_all(
    mut client: WsSender<ServerSide>,
    mut queue: broadcast::Receiver<ServerMsg>,
) -> Result<(), CodecError> {
    loop {
        match queue.recv().await {
            Ok(message) => client.feed(message).await?,
            Err(RecvError::Lagged(_)) => {
                let slow = CloseFrame::new(CloseCode::POLICY_VIOLATION, "too slow")?;
                client.close_with(slow).await?;
                return Ok(());
            }
            Err(RecvError::Closed) => return Ok(()),
        }
        if queue.is_empty() {
            client.flush().await?;
        }
    }
}
