//! The plain byte stream: a protocol that knows nothing of WebSockets runs over one.
//!
//! Run it with `cargo run --example raw_bytes`.

use std::io;

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use ws_framed::{accept, connect};

/// Some protocol: the client asks for so many bytes in a line of text, and gets them. It would run
/// over TCP, TLS or a pipe just as well.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let count: usize = line.trim().parse().map_err(io::Error::other)?;
        stream.write_all(&vec![b'.'; count]).await?;
        // The client waits for the rest, so flush it.
        stream.flush().await?;
        line.clear();
    }
    stream.shutdown().await
}

/// The other side of it.
async fn ask(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    count: usize,
) -> io::Result<Vec<u8>> {
    stream.write_all(format!("{count}\n").as_bytes()).await?;
    let mut answer = vec![0; count];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);
    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await?;
        serve(accept(socket).await?).await
    });

    // A `WsStream` is an `AsyncRead + AsyncWrite`, of tokio's and of futures' making.
    let mut stream = connect(&url).await?;
    for count in [1, 100, 1_000_000] {
        println!(
            "asked for {count} bytes, got {}",
            ask(&mut stream, count).await?.len()
        );
    }

    // `shutdown` sends the close frame; reading to the end waits for the other side's.
    stream.shutdown().await?;
    println!(
        "then {} bytes more until the end",
        stream.read_to_end(&mut Vec::new()).await?
    );
    server.await??;
    Ok(())
}
