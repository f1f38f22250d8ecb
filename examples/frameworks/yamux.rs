//! Many streams on one WebSocket: yamux, which knows nothing of WebSockets, over the byte view.
//!
//! Each stream has its own flow control, so an unread stream does not delay the others; and each
//! may be closed in one direction only, which a WebSocket cannot.
//!
//! Run it with `cargo run -p frameworks --example yamux`.

use std::{error::Error, future::poll_fn};

use futures::{AsyncReadExt, AsyncWriteExt, future::try_join_all};
use tokio::net::TcpListener;
use yamux::{Config, Connection, ConnectionError, Mode, Stream};

use ws_framed::{CloseFrame, WsStream, accept, connect};

/// Answers each question with its length.
async fn answer(mut stream: Stream) -> std::io::Result<()> {
    let mut question = String::new();
    stream.read_to_string(&mut question).await?;
    let answer = format!("{question:?} has {} letters", question.chars().count());
    stream.write_all(answer.as_bytes()).await?;
    stream.close().await
}

/// Drives a connection until its other end closes it: no stream makes progress unless this is
/// polled.
async fn drive(
    mut connection: Connection<&mut WsStream>,
    on_stream: impl Fn(Stream),
) -> Result<(), ConnectionError> {
    while let Some(stream) = poll_fn(|cx| connection.poll_next_inbound(cx)).await {
        on_stream(stream?);
    }
    Ok(())
}

async fn serve(listener: TcpListener) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut stream = accept(listener.accept().await?.0).await?;
    // Lent, because yamux drops its stream when the other end closes yamux. The closing handshake
    // of the WebSocket follows.
    let connection = Connection::new(&mut stream, Config::default(), Mode::Server);
    let on_stream = |stream| drop(tokio::spawn(answer(stream)));
    drive(connection, on_stream).await?;
    let outcome = stream.close_with(CloseFrame::normal()).await?;
    println!("server: the client is done: {outcome:?}");
    Ok(())
}

async fn ask(mut stream: Stream, question: &str) -> std::io::Result<()> {
    stream.write_all(question.as_bytes()).await?;
    // The question ends here, and the answer is still to come.
    stream.close().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    println!("client: {answer}");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);
    let server = tokio::spawn(serve(listener));

    let mut stream = connect(url).await?;
    let mut connection = Connection::new(&mut stream, Config::default(), Mode::Client);
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(poll_fn(|cx| connection.poll_new_outbound(cx)).await?);
    }
    let questions = ["yamux", "WebSocket", "Übermut"];
    let asking = try_join_all(
        std::iter::zip(streams, questions).map(|(stream, question)| ask(stream, question)),
    );

    // What drives the connection gives it back when everything is answered, to close it.
    let mut asking = Box::pin(asking);
    poll_fn(|cx| {
        let _ = connection.poll_next_inbound(cx);
        asking.as_mut().poll(cx)
    })
    .await?;
    poll_fn(|cx| connection.poll_close(cx)).await?;
    drop(connection);
    let outcome = stream.close_with(CloseFrame::normal()).await?;
    println!("client: {outcome:?}");
    server.await?
}
