//! Calls to functions at the other end: tarpc, whose transport is anything that is a `Stream` and a
//! `Sink` of its messages. `WsFramed` is one, with whatever codec you like, and there is nothing to
//! write in between.
//!
//! Calls run side by side on the one connection. Dropping a call cancels it at the server.
//!
//! Run it with `cargo run -p frameworks --example rpc`.

use std::error::Error;

use futures::{StreamExt, future};
use tarpc::{
    ClientMessage, Response, client, context,
    server::{BaseChannel, Channel},
};
use tokio::net::TcpListener;
use ws_framed::{CloseOutcome, Postcard, accept, connect};

/// What can be called. tarpc makes `WorldClient`, and the messages of both directions, from it.
#[tarpc::service]
trait World {
    async fn greet(name: String) -> String;
    async fn add(a: i64, b: i64) -> Option<i64>;
}

/// The largest message of either direction, in bytes.
const MAX_MESSAGE: usize = 64 * 1024;

#[derive(Clone)]
struct Server;

impl World for Server {
    async fn greet(self, _: context::Context, name: String) -> String {
        format!("Hello, {name}!")
    }

    async fn add(self, _: context::Context, a: i64, b: i64) -> Option<i64> {
        a.checked_add(b)
    }
}

async fn serve(listener: TcpListener) -> Result<CloseOutcome, Box<dyn Error + Send + Sync>> {
    let stream = accept(listener.accept().await?.0).await?;
    let handle = stream.handle();
    let codec = Postcard::<ClientMessage<WorldRequest>, Response<WorldResponse>>::new(MAX_MESSAGE);
    let calls = BaseChannel::with_defaults(stream.framed(codec)).execute(Server.serve());
    // A task for each call; that of the connection ends when the client closes it.
    calls
        .for_each(|call| {
            tokio::spawn(call);
            future::ready(())
        })
        .await;
    Ok(handle.closed().await)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);
    let server = tokio::spawn(serve(listener));

    let codec = Postcard::<Response<WorldResponse>, ClientMessage<WorldRequest>>::new(MAX_MESSAGE);
    let transport = connect(url).await?.framed(codec);
    let world = WorldClient::new(client::Config::default(), transport).spawn();

    let (greeting, sum, overflow) = future::try_join3(
        world.greet(context::current(), "WebSocket".to_owned()),
        world.add(context::current(), 40, 2),
        world.add(context::current(), i64::MAX, 1),
    )
    .await?;
    println!("{greeting} 40 + 2 is {sum:?}, and the largest number plus one is {overflow:?}");

    // When the last client is dropped, tarpc closes the transport.
    drop(world);
    println!("it ended like this: {:?}", server.await??);
    Ok(())
}
