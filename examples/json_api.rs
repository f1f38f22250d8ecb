//! A server with a JSON API for any WebSocket client: a page's own `WebSocket`, Python, Node, or,
//! here, a client that uses only tungstenite.
//!
//! ```sh
//! cargo run --example json_api --features json
//! ```

use std::error::Error;

use async_tungstenite::tungstenite::Message;
use futures::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use ws_framed::{Json, WsFramed};

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Request {
    Add { a: i64, b: i64 },
    Echo { text: String },
}

#[derive(Serialize)]
#[serde(tag = "is", rename_all = "lowercase")]
enum Response {
    Sum { sum: i64 },
    Text { text: String },
    Error { error: String },
}

/// One message for each value: `{"op":"add","a":1,"b":2}` is a whole text message.
type Api = WsFramed<Request, Json<Request, Response>>;

async fn serve(socket: TcpStream) -> Result<(), Box<dyn Error + Send + Sync>> {
    let stream = ws_framed::accept(socket).await?;
    let mut api: Api = stream.per_message(Json::new(64 * 1024));
    while let Some(request) = api.next().await {
        let response = match request {
            Ok(Request::Add { a, b }) => Response::Sum { sum: a + b },
            Ok(Request::Echo { text }) => Response::Text { text },
            // A bad request does not end the connection.
            Err(error) => Response::Error {
                error: error.to_string(),
            },
        };
        api.send(response).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/", listener.local_addr()?);
    let server = tokio::spawn(async move { serve(listener.accept().await?.0).await });

    // Any client will do. In a page: `socket.send('{"op":"add","a":1,"b":2}')`.
    let (mut client, _) = async_tungstenite::tokio::connect_async(&url).await?;
    for request in [
        r#"{"op":"add","a":1,"b":2}"#,
        r#"{"op":"echo","text":"Hello!"}"#,
        r#"{"op":"dance"}"#,
        r#"{"op":"add","a":20,"b":22}"#,
    ] {
        println!("client: {request}");
        client.send(Message::text(request)).await?;
        if let Some(response) = client.next().await {
            println!("server: {}", response?.to_text()?);
        }
    }
    client.close(None).await?;
    while client.next().await.is_some() {}
    server.await?
}
