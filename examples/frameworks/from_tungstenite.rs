//! A server of tokio-tungstenite, and what it becomes: a shelf of files, with commands as text and
//! contents as binary messages. A client of tokio-tungstenite gets the same replies from both.
//!
//! Run it with `cargo run -p frameworks --example from_tungstenite`.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex},
};

use futures::{SinkExt, StreamExt};
use tokio::{net::TcpListener, try_join};
use tokio_tungstenite::{connect_async, tungstenite::Message};

/// Contents by name.
type Shelf = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// What the server does about a command, whichever library carries it.
enum Reply {
    Text(String),
    Content(Vec<u8>),
    /// The next binary message is the content of this file.
    Expect(String),
}

fn run_command(shelf: &Shelf, command: &str) -> Reply {
    let shelf = shelf.lock().expect("no holder panics");
    match command.split_once(' ') {
        None if command == "list" => {
            let names: Vec<&str> = shelf.keys().map(String::as_str).collect();
            Reply::Text(names.join(" "))
        }
        Some(("put", name)) => Reply::Expect(name.to_owned()),
        Some(("get", name)) => match shelf.get(name) {
            Some(content) => Reply::Content(content.clone()),
            None => Reply::Text("no such file".to_owned()),
        },
        _ => Reply::Text("no such command".to_owned()),
    }
}

fn put(shelf: &Shelf, name: String, content: Vec<u8>) {
    let mut shelf = shelf.lock().expect("no holder panics");
    shelf.insert(name, content);
}

mod before {
    use futures::{SinkExt, StreamExt};
    use tokio::net::TcpStream;
    use tokio_tungstenite::tungstenite::{Error, Message};

    use super::{Reply, Shelf, put, run_command};

    pub(super) async fn serve(socket: TcpStream, shelf: Shelf) -> Result<(), Error> {
        let mut socket = tokio_tungstenite::accept_async(socket).await?;
        let mut expected = None;
        while let Some(message) = socket.next().await {
            match message? {
                Message::Text(command) => match run_command(&shelf, command.as_str()) {
                    Reply::Text(text) => socket.send(Message::text(text)).await?,
                    Reply::Content(content) => socket.send(Message::binary(content)).await?,
                    Reply::Expect(name) => expected = Some(name),
                },
                Message::Binary(content) => match expected.take() {
                    Some(name) => put(&shelf, name, content.to_vec()),
                    None => socket.send(Message::text("for which file?")).await?,
                },
                // The library has queued the answers to the first and the last of these.
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => {}
            }
        }
        Ok(())
    }
}

mod after {
    use futures::{SinkExt, TryStreamExt};
    use tokio::net::TcpStream;
    use ws_framed::{Acceptor, Config, Message, WsErr};

    use super::{Reply, Shelf, put, run_command};

    /// A file that was received can be sent: by default, a message to be sent may be shorter.
    fn config() -> Config {
        const MAX_FILE_LEN: usize = 1024 * 1024;
        Config::default()
            .max_recv_message_len(MAX_FILE_LEN)
            .max_send_message_len(MAX_FILE_LEN)
    }

    pub(super) async fn serve(socket: TcpStream, shelf: Shelf) -> Result<(), WsErr> {
        // The stream ends with the client's close frame. Without one, it returns an error. A silent
        // client is pinged.
        let acceptor = Acceptor::new().config(config());
        let mut socket = acceptor.accept(socket).await?.messages();
        let mut expected = None;
        while let Some(message) = socket.try_next().await? {
            match message {
                Message::Text(command) => match run_command(&shelf, &command) {
                    Reply::Text(text) => socket.send(Message::Text(text)).await?,
                    Reply::Content(content) => socket.send(Message::Binary(content.into())).await?,
                    Reply::Expect(name) => expected = Some(name),
                },
                Message::Binary(content) => match expected.take() {
                    Some(name) => put(&shelf, name, content.to_vec()),
                    None => socket.send(Message::Text("for which file?".into())).await?,
                },
                // Control messages are not part of the stream.
                _ => {}
            }
        }
        Ok(())
    }
}

/// Sends all commands, and returns the replies.
async fn visit(url: &str) -> Result<Vec<Message>, Box<dyn Error>> {
    let (mut socket, _) = connect_async(url).await?;
    for message in [
        Message::text("list"),
        Message::text("put notes"),
        Message::binary(vec![0, 159, 146, 150]),
        Message::text("list"),
        Message::text("get notes"),
        Message::binary(vec![1]),
        Message::text("drop notes"),
    ] {
        socket.send(message).await?;
    }
    let mut replies = Vec::new();
    while replies.len() < 5 {
        let reply = socket.next().await.ok_or("the server has closed")?;
        replies.push(reply?);
    }
    socket.close(None).await?;
    // Until the server has answered.
    while let Some(Ok(_)) = socket.next().await {}
    Ok(replies)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/", listener.local_addr()?);

    let serving = async {
        let (socket, _) = listener.accept().await?;
        before::serve(socket, Shelf::default()).await?;
        Ok::<_, Box<dyn Error>>(())
    };
    let ((), before) = try_join!(serving, visit(&url))?;
    let serving = async {
        let (socket, _) = listener.accept().await?;
        after::serve(socket, Shelf::default()).await?;
        Ok::<_, Box<dyn Error>>(())
    };
    let ((), after) = try_join!(serving, visit(&url))?;
    assert_eq!(before, after);
    println!("the replies of both: {after:?}");
    Ok(())
}
