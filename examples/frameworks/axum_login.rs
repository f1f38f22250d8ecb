//! A chat behind a login: what a handler of axum's `WebSocketUpgrade` becomes. The extractor that
//! checks the session stays as it is, and so do the route and the state.
//!
//! Run it with `cargo run -p frameworks --example axum_login`.

use std::error::Error;

use axum::{
    Router,
    extract::{FromRequestParts, State},
    http::{StatusCode, header::COOKIE, request::Parts},
    response::Response,
    routing::any,
};
use futures::{SinkExt, TryStreamExt};
use tokio::{net::TcpListener, select, sync::broadcast};
use ws_framed::{
    Acceptor, Config, Connector, Message, WsErr, WsMessages, WsStream, axum::WsUpgrade,
};

/// The user of a session.
struct User {
    name: String,
}

/// An application would ask its database.
impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let cookie = parts
            .headers
            .get(COOKIE)
            .and_then(|value| value.to_str().ok());
        match cookie.and_then(|cookie| cookie.strip_prefix("session=")) {
            Some("8f3a") => Ok(Self { name: "Ann".into() }),
            Some("51c0") => Ok(Self { name: "Bob".into() }),
            _ => Err((StatusCode::UNAUTHORIZED, "log in first")),
        }
    }
}

#[derive(Clone)]
struct App {
    /// Replaces the settings of each `WebSocketUpgrade`. Browsers send cookies to any site that a
    /// page connects to, so the origin has to be checked, too.
    acceptor: Acceptor,
    lines: broadcast::Sender<String>,
}

/// Before: `ws: WebSocketUpgrade`, and `ws.on_upgrade(move |socket| chat(socket, user, app))`.
async fn handler(user: User, State(app): State<App>, upgrade: WsUpgrade) -> Response {
    let acceptor = app.acceptor.clone();
    let serve = |stream| chat(stream, user, app);
    upgrade.on_upgrade(&acceptor, serve).await
}

/// Before: `mut socket: WebSocket`. An error of the closure now closes the connection with code
/// 1011.
async fn chat(stream: WsStream, user: User, app: App) -> Result<(), WsErr> {
    let mut socket = stream.messages();
    let mut others = app.lines.subscribe();
    loop {
        // Before: `socket.recv()`, with an arm for `Message::Close`.
        select! {
            message = socket.try_next() => match message? {
                Some(Message::Text(line)) => {
                    // There is at least one receiver: this one.
                    let _ = app.lines.send(format!("{}: {line}", user.name));
                }
                Some(_) => socket.send(Message::Text("text only, please".into())).await?,
                None => return Ok(()),
            },
            line = others.recv() => match line {
                Ok(line) => socket.send(Message::Text(line)).await?,
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return Ok(()),
            },
        }
    }
}

async fn connect(url: &str, cookie: &str) -> Result<WsMessages, WsErr> {
    let connector = Connector::new()
        .header("Cookie", cookie)
        .header("Origin", "https://chat.example");
    Ok(connector.connect(url).await?.messages())
}

async fn next_text(messages: &mut WsMessages) -> Result<String, Box<dyn Error>> {
    match messages.try_next().await? {
        Some(Message::Text(text)) => Ok(text),
        other => Err(format!("no text, but {other:?}").into()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = App {
        // Less than may be sent, so that a line with a name before it fits into a message.
        acceptor: Acceptor::new()
            .config(Config::default().max_recv_message_len(4096))
            .allow_origin("https://chat.example"),
        lines: broadcast::Sender::new(100),
    };
    let router = Router::new().route("/chat", any(handler)).with_state(app);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/chat", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let stranger = connect(&url, "session=none").await;
    println!("stranger: {:?}", stranger.map(drop));

    let mut ann = connect(&url, "session=8f3a").await?;
    ann.send(Message::Binary(vec![1, 2, 3].into())).await?;
    println!("Ann reads {:?}", next_text(&mut ann).await?);
    let mut bob = connect(&url, "session=51c0").await?;
    bob.send(Message::Text("hello".into())).await?;
    println!("Bob reads {:?}", next_text(&mut bob).await?);
    println!("Ann reads {:?}", next_text(&mut ann).await?);
    ann.close().await?;
    println!("Ann's end: {:?}", ann.try_next().await?);
    Ok(())
}
