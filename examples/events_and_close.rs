//! What happens beside the data: a ping with its round-trip time, events, a close with a code and a
//! reason, and the outcome on both sides.
//!
//! Run it with `cargo run --example events_and_close`.

use futures::{StreamExt, TryStreamExt};
use tokio::net::TcpListener;
use ws_framed::{
    CloseCode, CloseFrame, Lines, accept, connect,
    pharos::{Observable, ObserveConfig},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);

    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await?;
        let mut lines = accept(socket).await?.framed(Lines::new(1024));
        // The handle outlives the stream, and works from any task.
        let handle = lines.handle();
        let mut events = lines.observe(ObserveConfig::default()).await?;
        // Events are delivered while a read is pending. Pings are answered automatically.
        while let Some(line) = lines.try_next().await? {
            println!("server read {line:?}");
        }
        drop(lines);
        while let Some(event) = events.next().await {
            println!("server saw {event:?}");
        }
        println!("server: {:?}", handle.closed().await);
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    });

    let lines = connect(&url).await?.framed(Lines::new(1024));
    let handle = lines.handle();
    let reader = tokio::spawn(lines.try_collect::<Vec<_>>());

    println!("client: a round trip takes {:?}", handle.ping().await?);
    // Codes from 4000 to 4999 are yours.
    handle.close(CloseFrame::new(CloseCode::from(4000), "see you tomorrow")?)?;
    println!("client: {:?}", handle.closed().await);
    println!("client: {:?}", handle.stats());
    reader.await??;
    server.await?
}
