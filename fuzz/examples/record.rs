//! Records the seeds: what real connections of this library carry, and frames of its codecs.
//!
//! `cargo run --example record` writes them to `seeds/`. Keys and masks are random, so each run
//! writes others.

use std::{error::Error, fs, path::Path};

use async_tungstenite::{
    client_async,
    tokio::TokioAdapter,
    tungstenite::{Bytes as Payload, Message},
};
use futures::{SinkExt, StreamExt, future::join};
use support::Frame;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, copy, duplex, sink,
};
use ws_framed::{
    Acceptor, Bincode, Cbor, CloseCode, CloseFrame, Compressed, Config, Connector, Json,
    LengthDelimited, Lines, Postcard, TextPolicy, WsStream, bytes::Bytes,
};
use ws_framed_fuzz::{ANY_ACCEPT, HEAD_END, Value};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const URL: &str = "ws://localhost:8080/chat";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    record("bytes", bytes).await?;
    record("text", text).await?;
    record("plain-http", plain_http).await?;
    record("other-subprotocol", other_subprotocol).await?;
    let items = [
        "bincode",
        "postcard",
        "json",
        "cbor",
        "compressed",
        "lines",
        "length_delimited",
    ];
    let frames = [
        record("bincode", bincode).await?,
        record("postcard", postcard).await?,
        record("json", json).await?,
        record("cbor", cbor).await?,
        record("compressed", compressed).await?,
        record("lines", lines).await?,
        record("length_delimited", length_delimited).await?,
    ];
    for (name, frames) in items.into_iter().zip(frames) {
        save(&format!("codec_{name}"), name, &frames)?;
        save("split_items", name, &frames)?;
    }
    Ok(())
}

/// Runs a conversation and saves the bytes of each direction. Returns the data of the client's
/// messages.
async fn record<F>(name: &str, conversation: fn(DuplexStream, DuplexStream) -> F) -> Result<Vec<u8>>
where
    F: Future<Output = Result<()>>,
{
    let ((client, to_client), (server, to_server)) = (duplex(1 << 16), duplex(1 << 16));
    let (from_client, to_client) = tokio::io::split(to_client);
    let (from_server, to_server) = tokio::io::split(to_server);
    let recording = join(relay(from_client, to_server), relay(from_server, to_client));
    let (done, (request, answer)) = join(Box::pin(conversation(client, server)), recording).await;
    done?;

    let (request, answer) = (request?, with_any_key(answer?));
    save("accept", name, &request)?;
    save("connect", name, &answer)?;
    let (asked, answered) = (frames(&request), frames(&answer));
    if !asked.is_empty() {
        save("connection_server", name, asked)?;
        save("connection_client", name, answered)?;
        save("split_bytes", &format!("{name}-to-server"), asked)?;
        save("split_bytes", &format!("{name}-to-client"), answered)?;
    }
    let mut rest = asked;
    let frames = std::iter::from_fn(|| Frame::decode(&mut rest));
    let messages = frames.filter(|(frame, _)| frame.opcode == 2);
    Ok(messages.flat_map(|(frame, _)| frame.payload).collect())
}

async fn relay(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let mut chunk = vec![0; 4096];
        match from.read(&mut chunk).await? {
            0 => break,
            len => {
                all.extend_from_slice(&chunk[..len]);
                // The other side may have closed; the bytes are recorded all the same.
                let _ = to.write_all(&chunk[..len]).await;
            }
        }
    }
    let _ = to.shutdown().await;
    Ok(all)
}

/// What follows the handshake.
fn frames(stream: &[u8]) -> &[u8] {
    let head = stream.windows(HEAD_END.len()).position(|at| at == HEAD_END);
    head.map_or(&[], |head| &stream[head + HEAD_END.len()..])
}

/// Makes a response to one request a response to any.
fn with_any_key(mut answer: Vec<u8>) -> Vec<u8> {
    let name = b"sec-websocket-accept: ";
    let place = answer
        .windows(name.len())
        .position(|at| at.eq_ignore_ascii_case(name));
    if let Some(at) = place {
        answer[at + name.len()..][..ANY_ACCEPT.len()].copy_from_slice(ANY_ACCEPT);
    }
    answer
}

fn save(target: &str, name: &str, bytes: &[u8]) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(target);
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(name), bytes)?)
}

fn config() -> Config {
    // Small enough for several messages in a small recording.
    Config::default().max_send_message_len(200)
}

async fn open(client: DuplexStream, server: DuplexStream) -> Result<(WsStream, WsStream)> {
    let connector = Connector::new()
        .config(config())
        .header("Authorization", "Bearer 8f3a")
        .subprotocol("chat.v2")
        .subprotocol("chat.v1");
    let acceptor = Acceptor::new().config(config()).subprotocol("chat.v2");
    let (client, server) = join(connector.connect_over(client, URL), acceptor.accept(server)).await;
    Ok((client?, server?))
}

/// Bytes, cut into several messages, a ping, and a close with a reason.
async fn bytes(client: DuplexStream, server: DuplexStream) -> Result<()> {
    let (mut client, server) = open(client, server).await?;
    let handle = server.handle();
    let (mut reader, mut writer) = tokio::io::split(server);
    let serve = async {
        let reading = async { copy(&mut reader, &mut sink()).await };
        let answering = async {
            println!("a round trip of {:?}", handle.ping().await);
            writer.write_all(&[b'.'; 700]).await?;
            writer.flush().await
        };
        let (read, answered) = join(reading, answering).await;
        answered?;
        println!("{} bytes", read?);
        Result::Ok(())
    };
    let ask = async {
        client.write_all(b"a request").await?;
        client.read_exact(&mut [0; 700]).await?;
        client.write_all(&[0; 500]).await?;
        let frame = CloseFrame::new(CloseCode::from(4001), "that is all")?;
        println!("{:?}", client.close_with(frame).await?);
        Result::Ok(())
    };
    let (answers, questions) = join(serve, ask).await;
    answers.and(questions)
}

/// A client of another library: text, an empty message, a ping, an unsolicited pong.
async fn text(client: DuplexStream, server: DuplexStream) -> Result<()> {
    let acceptor = Acceptor::new().config(config().text(TextPolicy::Bytes));
    let serve = async {
        let mut server = acceptor.accept(server).await?;
        println!("{} bytes", copy(&mut server, &mut sink()).await?);
        Result::Ok(())
    };
    let ask = async {
        let (mut client, _) = client_async(URL, TokioAdapter::new(client)).await?;
        client.send(Message::text("zwölf Boxkämpfer")).await?;
        client.send(Message::binary(Payload::new())).await?;
        client.send(Message::Ping("ping".into())).await?;
        client.send(Message::Pong("pong".into())).await?;
        client.close(None).await?;
        while let Some(message) = client.next().await {
            println!("{}", message?);
        }
        Result::Ok(())
    };
    let (answers, questions) = join(serve, ask).await;
    answers.and(questions)
}

/// A browser that sends plain HTTP.
async fn plain_http(mut client: DuplexStream, server: DuplexStream) -> Result<()> {
    let request = b"GET /favicon.ico HTTP/1.1\r\nHost: localhost:8080\r\nAccept: image/*\r\n\r\n";
    client.write_all(request).await?;
    let (refused, read) = join(
        ws_framed::accept(server),
        client.read_to_end(&mut Vec::new()),
    )
    .await;
    read?;
    println!("{:?}", refused.err());
    Ok(())
}

/// A client that offers a subprotocol unknown to the server.
async fn other_subprotocol(client: DuplexStream, server: DuplexStream) -> Result<()> {
    let connector = Connector::new().subprotocol("mqtt");
    let acceptor = Acceptor::new().subprotocol("chat.v2");
    let asked = connector.connect_over(client, URL);
    let (asked, refused) = join(asked, acceptor.accept(server)).await;
    println!("{:?} {:?}", asked.err(), refused.err());
    Ok(())
}

fn values() -> Vec<Value> {
    let record = Value::Record {
        id: u128::MAX,
        name: Some("Ann".to_owned()),
        tags: vec![(0, true), (u16::MAX, false)],
    };
    let primes = ("primes".to_owned(), vec![2, 3, 5, 70_001]);
    let table = Value::Table([(String::new(), vec![]), primes].into());
    vec![
        Value::Nothing,
        Value::Number(i64::MIN),
        Value::Pair(255, f64::NAN),
        Value::Text("zwölf Boxkämpfer".to_owned()),
        Value::Letter('\u{10ffff}'),
        record.clone(),
        table.clone(),
        Value::Inside(Box::new(Value::Inside(Box::new(Value::Nothing)))),
        Value::Several(vec![record, table, Value::Several(vec![])]),
        Value::Maybe(Some(Some(Box::new(Value::Maybe(None))))),
    ]
}

/// JSON has no NaN.
fn json_values() -> Vec<Value> {
    let mut values = values();
    values.retain(|value| !matches!(value, Value::Pair(_, real) if real.is_nan()));
    values
}

/// Sends items until there are none, both ways.
macro_rules! converse {
    ($name:ident, $codec:expr, $items:expr) => {
        async fn $name(client: DuplexStream, server: DuplexStream) -> Result<()> {
            let (client, server) = open(client, server).await?;
            let (mut client, mut server) = (client.framed($codec), server.framed($codec));
            let serve = async {
                while let Some(item) = server.next().await {
                    server.feed(item?).await?;
                }
                Result::Ok(())
            };
            let ask = async {
                let items = $items;
                let count = items.len();
                for item in items {
                    client.feed(item).await?;
                }
                for _ in 0..count {
                    client.next().await.transpose()?;
                }
                println!("{:?}", client.close_with(CloseFrame::normal()).await?);
                Result::Ok(())
            };
            let (answers, questions) = join(serve, ask).await;
            answers.and(questions)
        }
    };
}

converse!(bincode, Bincode::<Value>::new(1024), values());
converse!(postcard, Postcard::<Value>::new(1024), values());
converse!(json, Json::<Value>::new(1024), json_values());
converse!(cbor, Cbor::<Value>::new(1024), values());
converse!(
    compressed,
    Compressed::new(Postcard::<Value>::new(1024), 1028),
    values()
        .into_iter()
        .chain([
            Value::Text("na ".repeat(90)),
            Value::Several(vec![Value::Nothing; 200])
        ])
        .collect::<Vec<_>>()
);
converse!(
    lines,
    Lines::new(80),
    ["", "one", "zwölf Boxkämpfer", "\r."].map(str::to_owned)
);
converse!(
    length_delimited,
    LengthDelimited::new(1024),
    [vec![], b"abc".to_vec(), vec![0, 0, 0, 2], vec![7; 300]].map(Bytes::from)
);
