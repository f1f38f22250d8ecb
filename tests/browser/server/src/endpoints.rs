//! What happens on each path.

use std::io;

use futures::{SinkExt, StreamExt, TryStreamExt};
use protocol::{
    Answerer, CONTRACT, Ending, LAST_WORDS, MAX_FRAME_LEN, Reply, Request, SUBPROTOCOLS,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use ws_framed::{
    Acceptor, Bincode, CodecError, Config, Decoder, Encoder, Json, LengthDelimited, Lines,
    Postcard, WsFramed, WsStream,
};

use crate::{State, peek_path, raw};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

pub async fn serve(mut socket: TcpStream, state: &State) -> Outcome {
    socket.set_nodelay(true)?;
    let path = peek_path(&socket).await?;
    let endpoint = path.split('/').nth(1).unwrap_or_default();
    let argument = path.split('/').nth(2).unwrap_or_default();
    match endpoint {
        "refuse" => {
            let answer = format!("HTTP/1.1 {argument} No\r\nContent-Length: 0\r\n\r\n");
            socket.read(&mut [0; 4096]).await?;
            socket.write_all(answer.as_bytes()).await?;
        }
        "silent" => {
            let asked = socket.read_to_end(&mut Vec::new()).await;
            let received = asked.unwrap_or_default() as u64;
            state.record(
                &path,
                Ending {
                    received,
                    clean: None,
                },
            );
        }
        "close" => raw::close(socket, argument.parse()?).await?,
        "text" => state.record(&path, raw::text(socket).await?),
        "rude" => raw::never_reads(socket).await?,
        "broken" => raw::breaks_the_protocol(socket).await?,
        _ => accepted(socket, endpoint, &path, state).await?,
    }
    Ok(())
}

async fn accepted(socket: TcpStream, endpoint: &str, path: &str, state: &State) -> Outcome {
    let mut acceptor = Acceptor::new();
    if endpoint == "chat" {
        acceptor = SUBPROTOCOLS
            .into_iter()
            .fold(acceptor, Acceptor::subprotocol);
    }
    if endpoint == "contract" {
        acceptor = acceptor.contract(CONTRACT.parse()?);
    }
    if endpoint == "flood" {
        acceptor = acceptor.config(Config::default().max_send_message_len(4096));
    }
    let mut stream = acceptor.accept(socket).await?;
    match endpoint {
        "echo" | "chat" | "contract" => echo_bytes(stream).await?,
        "values" => echo_items(stream.per_message(Json::<Request>::new(MAX_FRAME_LEN))).await?,
        "messages" => echo_items(stream.per_message(LengthDelimited::new(MAX_FRAME_LEN))).await?,
        "lines" => echo(stream, Lines::new(MAX_FRAME_LEN)).await?,
        "length" => echo(stream, LengthDelimited::new(MAX_FRAME_LEN)).await?,
        "bincode" => echo(stream, Bincode::<Request, Request>::new(MAX_FRAME_LEN)).await?,
        "postcard" => echo(stream, Postcard::<Request, Request>::new(MAX_FRAME_LEN)).await?,
        "small" => echo_one_by_one(stream).await?,
        "ask" => answer(stream.framed(Bincode::new(MAX_FRAME_LEN)), state).await?,
        "watch" => watch(stream, path, state).await,
        "pause" => {
            state.gate(path).notified().await;
            watch(stream, path, state).await;
        }
        "flood" => flood(stream, path, state).await,
        "vanish" => {
            stream.write_all(LAST_WORDS).await?;
            stream.flush().await?;
            // Dropped without a close frame.
        }
        _ => return Err(format!("no such path: {path}").into()),
    }
    Ok(())
}

async fn echo_bytes(stream: WsStream) -> io::Result<()> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    tokio::io::copy(&mut reader, &mut writer).await?;
    Ok(())
}

async fn echo<C, T>(stream: WsStream, codec: C) -> Result<(), CodecError>
where
    C: Decoder<Item = T, Error = CodecError> + for<'a> Encoder<Item<'a> = T, Error = CodecError>,
{
    echo_items(stream.framed(codec)).await
}

async fn echo_items<C, T>(framed: WsFramed<T, C>) -> Result<(), CodecError>
where
    C: Decoder<Item = T, Error = CodecError> + for<'a> Encoder<Item<'a> = T, Error = CodecError>,
{
    let (sink, items) = framed.split();
    items.forward(sink).await
}

/// Each item comes back in a message of its own.
async fn echo_one_by_one(stream: WsStream) -> Result<(), CodecError> {
    let (mut sink, mut items) = stream.framed(Bincode::<u32, u32>::new(16)).split();
    while let Some(item) = items.try_next().await? {
        sink.send(item).await?;
    }
    Ok(())
}

async fn answer(mut asker: Answerer, state: &State) -> Result<(), CodecError> {
    while let Some(request) = asker.try_next().await? {
        let reply = match request {
            Request::Sum(numbers) => Reply::Sum(numbers.iter().sum()),
            Request::Endings { path, count } => Reply::Endings(state.endings(&path, count).await),
            Request::Resume { path } => {
                state.gate(&path).notify_one();
                Reply::Resumed
            }
        };
        asker.send(reply).await?;
    }
    Ok(())
}

/// Reads to the end, however it comes, and records it.
async fn watch(mut stream: WsStream, path: &str, state: &State) {
    let handle = stream.handle();
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    let received = handle.stats().bytes_received;
    state.record(path, Ending::new(received, handle.closed().await));
}

/// Sends without end, and records how the client put an end to it.
async fn flood(stream: WsStream, path: &str, state: &State) {
    let handle = stream.handle();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let flood = async { while writer.write_all(&[7; 4096]).await.is_ok() {} };
    let mut nowhere = tokio::io::sink();
    let _ = tokio::join!(flood, tokio::io::copy(&mut reader, &mut nowhere));
    let received = handle.stats().bytes_received;
    state.record(path, Ending::new(received, handle.closed().await));
}
