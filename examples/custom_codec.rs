//! A codec of your own: commands of a small key-value store, one a line, as Redis speaks them
//! inline.
//!
//! A codec is two traits of the crate `asynchronous-codec`, and knows nothing of WebSockets.
//!
//! Run it with `cargo run --example custom_codec`.

use std::{collections::HashMap, io};

use futures::{SinkExt, TryStreamExt};
use tokio::net::TcpListener;
use ws_framed::{CloseFrame, Decoder, Encoder, accept, bytes::BytesMut, connect};

/// What the store is asked to do.
#[derive(Debug, PartialEq)]
enum Command {
    Set { key: String, value: String },
    Get { key: String },
}

/// Commands, one a line of at most `max_len` bytes.
struct Commands {
    max_len: usize,
}

impl Encoder for Commands {
    type Item<'a> = Command;
    type Error = io::Error;

    fn encode(&mut self, command: Command, buffer: &mut BytesMut) -> io::Result<()> {
        let line = match command {
            Command::Set { key, value } => format!("SET {key} {value}\n"),
            Command::Get { key } => format!("GET {key}\n"),
        };
        buffer.extend_from_slice(line.as_bytes());
        Ok(())
    }
}

impl Decoder for Commands {
    type Item = Command;
    type Error = io::Error;

    /// `Ok(None)` asks for more bytes. An error that has taken its bytes from the buffer is one bad
    /// command, and the next one follows. An error that has taken nothing ends the connection.
    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Command>> {
        let Some(end) = buffer.iter().position(|&byte| byte == b'\n') else {
            return if buffer.len() > self.max_len {
                Err(invalid("too long"))
            } else {
                Ok(None)
            };
        };
        let line = buffer.split_to(end + 1);
        let line = std::str::from_utf8(&line).map_err(|_| invalid("not UTF-8"))?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["SET", key, value] => Ok(Some(Command::Set {
                key: key.into(),
                value: value.into(),
            })),
            ["GET", key] => Ok(Some(Command::Get { key: key.into() })),
            _ => Err(invalid("not a command")),
        }
    }
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);

    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await?;
        let mut commands = accept(socket).await?.framed(Commands { max_len: 1024 });
        let mut store = HashMap::new();
        while let Some(command) = commands.try_next().await? {
            match command {
                Command::Set { key, value } => drop(store.insert(key, value)),
                Command::Get { key } => println!("{key} is {:?}", store.get(&key)),
            }
        }
        io::Result::Ok(())
    });

    let mut client = connect(&url).await?.framed(Commands { max_len: 1024 });
    // Three commands, one flush: they travel in one WebSocket message.
    client
        .feed(Command::Set {
            key: "planet".into(),
            value: "Earth".into(),
        })
        .await?;
    client
        .feed(Command::Get {
            key: "planet".into(),
        })
        .await?;
    client.feed(Command::Get { key: "moon".into() }).await?;
    client.flush().await?;
    println!("sent {} message", client.handle().stats().messages_sent);

    client.close_with(CloseFrame::normal()).await?;
    server.await??;
    Ok(())
}
