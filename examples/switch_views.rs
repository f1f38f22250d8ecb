//! One connection, one type of stream after the other: items, then bytes, then items in another codec.
//! Nothing is lost on the way, though all of it may arrive at once.
//!
//! Run it with `cargo run --example switch_views`.

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use ws_framed::{Bincode, CloseFrame, Lines, WsFramed, WsStream, accept, connect};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Announces a file: its bytes follow as they are.
#[derive(Serialize, Deserialize, Debug)]
struct Header {
    name: String,
    len: usize,
}

async fn send(stream: WsStream) -> Result<()> {
    // Items.
    let mut items: WsFramed<Header> = stream.framed(Bincode::new(4096));
    let file = vec![42; 200_000];
    items
        .feed(Header {
            name: "answers.bin".into(),
            len: file.len(),
        })
        .await?;

    // Bytes. What was fed and not flushed goes out before them.
    let mut stream = items.into_stream();
    stream.write_all(&file).await?;

    // Items again, in another codec.
    let mut lines = stream.framed(Lines::new(80));
    lines.send("That was all.".into()).await?;
    println!(
        "sender: {:?}",
        lines.close_with(CloseFrame::normal()).await?
    );
    Ok(())
}

async fn receive(stream: WsStream) -> Result<()> {
    let mut items: WsFramed<Header> = stream.framed(Bincode::new(4096));
    let header = items.try_next().await?.ok_or("no header")?;
    println!("receiver: {header:?}");

    // What came in behind the header is the beginning of the file.
    let mut stream = items.into_stream();
    let mut file = vec![0; header.len];
    stream.read_exact(&mut file).await?;
    println!("receiver: {} bytes", file.len());

    let mut lines = stream.framed(Lines::new(80));
    while let Some(line) = lines.try_next().await? {
        println!("receiver: {line}");
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);
    let receiver = tokio::spawn(async move {
        let (socket, _) = listener.accept().await?;
        receive(accept(socket).await?).await
    });
    send(connect(&url).await?).await?;
    receiver.await?
}
