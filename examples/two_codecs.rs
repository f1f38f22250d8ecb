//! One port, two codecs: JSON for pages, a message for each value, and Postcard for programs with this library. Both ends
//! agree on one in the handshake, and a client that has nothing in common with the server is told what differs.
//!
//! Run it with `cargo run --example two_codecs --features json,postcard`.

use std::error::Error;

use futures::{Sink, SinkExt, Stream, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use ws_framed::{Acceptor, CodecError, Connector, Contract, Json, Postcard, WsErr, WsStream};

#[derive(Serialize, Deserialize, Debug)]
struct Said {
    by: String,
    text: String,
}

/// Of one `Said`, in bytes. It is part of what is agreed on.
const MAX_FRAME_LEN: usize = 16 * 1024;

fn json() -> Json<Said> {
    Json::new(MAX_FRAME_LEN)
}

fn postcard() -> Postcard<Said> {
    Postcard::new(MAX_FRAME_LEN)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);
    // The most wanted comes first.
    let acceptor = Acceptor::new()
        .contract(Contract::new("chat", 2, &postcard())?)
        .contract(Contract::new("chat", 2, &json())?.per_message());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // For a server, it is ordinary traffic that a client is refused.
                if let Ok(stream) = acceptor.accept(socket).await {
                    let _ = serve(stream).await;
                }
            });
        }
    });

    // What a page says with `new WebSocket(url, "chat.v2.json.16384.message")`.
    let stream = open(&url, Contract::new("chat", 2, &json())?.per_message()).await?;
    greet("Ann", stream.per_message(json())).await?;

    let stream = open(&url, Contract::new("chat", 2, &postcard())?).await?;
    greet("Bob", stream.framed(postcard())).await?;

    // A program of last year.
    let old = open(&url, Contract::new("chat", 1, &postcard())?).await;
    if let Err(WsErr::Rejected(response)) = old {
        println!("an old client is told: {}", response.reason());
    }
    Ok(())
}

async fn open(url: &str, contract: Contract) -> Result<WsStream, WsErr> {
    Connector::new().contract(contract).connect(url).await
}

/// The codec is the one that was agreed on.
async fn serve(stream: WsStream) -> Result<(), CodecError> {
    match stream.contract().map(Contract::codec) {
        Some("json") => echo(stream.per_message(json())).await,
        _ => echo(stream.framed(postcard())).await,
    }
}

/// What comes does not depend on the codec.
async fn echo<S>(client: S) -> Result<(), CodecError>
where
    S: Stream<Item = Result<Said, CodecError>> + Sink<Said, Error = CodecError>,
{
    let (to_client, from_client) = client.split();
    from_client.forward(to_client).await
}

async fn greet<S>(name: &str, mut server: S) -> Result<(), CodecError>
where
    S: Stream<Item = Result<Said, CodecError>> + Sink<Said, Error = CodecError> + Unpin,
{
    let (by, text) = (name.to_owned(), "Hello!".to_owned());
    server.send(Said { by, text }).await?;
    println!("{name} hears {:?}", server.try_next().await?);
    server.close().await
}
