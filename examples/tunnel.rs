//! A TCP tunnel: whatever connects to one port comes out at another, through WebSockets, as through
//! a proxy that lets nothing else pass.
//!
//! What a tunnel cannot carry is a connection that is closed in one direction only: a WebSocket
//! closes both at once. A client that says "that was all" by closing its sending half, and then
//! waits for an answer, gets none. Protocols that tell their lengths (HTTP, ssh, databases) do not
//! do that. For the others there are streams of yamux, which end in each direction alone: see
//! `examples/frameworks/yamux.rs`.
//!
//! Run it with `cargo run --example tunnel`.

use std::{error::Error, io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use ws_framed::{accept, connect};

/// The near end: a WebSocket for each connection.
async fn near(listener: TcpListener, url: String) -> io::Result<()> {
    loop {
        let (mut socket, _) = listener.accept().await?;
        let url = url.clone();
        tokio::spawn(async move {
            let mut tunnel = connect(url).await?;
            report("near", copy_bidirectional(&mut socket, &mut tunnel).await);
            io::Result::Ok(())
        });
    }
}

/// The far end: a connection to the target for each WebSocket.
async fn far(listener: TcpListener, target: SocketAddr) -> io::Result<()> {
    loop {
        let (socket, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut tunnel = accept(socket).await?;
            let mut socket = TcpStream::connect(target).await?;
            report("far", copy_bidirectional(&mut tunnel, &mut socket).await);
            io::Result::Ok(())
        });
    }
}

fn report(end: &str, copied: io::Result<(u64, u64)>) {
    match copied {
        Ok((there, back)) => println!("{end}: {there} bytes there, {back} back"),
        // A tunnel that was cut does not look like one that was closed.
        Err(error) => println!("{end}: {error}"),
    }
}

/// The service at the other side: answers each question with its length.
async fn target(listener: TcpListener) -> io::Result<()> {
    loop {
        let (mut socket, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut question = vec![0; usize::from(socket.read_u16().await?)];
            socket.read_exact(&mut question).await?;
            let answer = format!("that was {} bytes", question.len());
            socket.write_all(answer.as_bytes()).await
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let anywhere = "127.0.0.1:0";
    let listeners = (
        TcpListener::bind(anywhere).await?,
        TcpListener::bind(anywhere).await?,
        TcpListener::bind(anywhere).await?,
    );
    let entrance = listeners.0.local_addr()?;
    let url = format!("ws://{}", listeners.1.local_addr()?);
    let exit = listeners.2.local_addr()?;
    tokio::spawn(near(listeners.0, url));
    tokio::spawn(far(listeners.1, exit));
    tokio::spawn(target(listeners.2));

    // This knows nothing of WebSockets.
    let mut client = TcpStream::connect(entrance).await?;
    client.write_u16(40_000).await?;
    client.write_all(&vec![b'?'; 40_000]).await?;
    let mut answer = String::new();
    client.read_to_string(&mut answer).await?;
    println!("client: {answer}");
    assert_eq!(answer, "that was 40000 bytes");
    Ok(())
}
