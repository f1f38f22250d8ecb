//! Both ends of an open connection.

use async_tungstenite::{WebSocketStream, accept_async, client_async};
use futures::future;
use ws_framed::{Acceptor, Config, Connector, Tungstenite, WsStream};

use crate::{Pipe, pipe, tcp};

/// The default settings without keepalive. Its timer would wake what nothing else wakes, so that a
/// lost wakeup would go unnoticed, and its pings would come between the frames of a script.
pub fn config_without_keepalive() -> Config {
    Config::default().keepalive(None)
}

/// A server and a client that are connected over TCP.
pub async fn pair() -> (WsStream, WsStream) {
    pair_with(config_without_keepalive(), config_without_keepalive()).await
}

/// The same, with settings for the server and for the client.
pub async fn pair_with(server: Config, client: Config) -> (WsStream, WsStream) {
    let (accepted, connected) = tcp().await;
    let (server, client) = (
        Acceptor::new().config(server),
        Connector::new().config(client),
    );
    // Boxed, because each test would carry the state of both handshakes.
    let (server, client) = Box::pin(future::join(
        server.accept(accepted),
        client.connect_over(connected, "ws://localhost/"),
    ))
    .await;
    (server.unwrap(), client.unwrap())
}

/// A socket of `async-tungstenite` over a [`Pipe`].
pub type TungsteniteSocket = WebSocketStream<Pipe>;

/// A server and a client of `async-tungstenite` over a pipe that holds `capacity` bytes in each
/// direction once the handshake is done: tungstenite takes a handshake in very small pieces for an
/// attack.
pub async fn tungstenite_sockets(capacity: usize) -> (TungsteniteSocket, TungsteniteSocket) {
    let (server, client) = pipe(capacity.max(4096));
    let (server, client) = Box::pin(future::join(
        accept_async(server),
        client_async("ws://localhost/", client),
    ))
    .await;
    let server = server.unwrap();
    server.get_ref().set_capacity(capacity);
    (server, client.unwrap().0)
}

/// A server and a client over sockets that the caller opened, without any runtime.
pub async fn tungstenite_pair(
    capacity: usize,
) -> (WsStream<Tungstenite<Pipe>>, WsStream<Tungstenite<Pipe>>) {
    let config = config_without_keepalive();
    tungstenite_pair_with(capacity, config.clone(), config).await
}

/// The same, with settings for the server and for the client.
pub async fn tungstenite_pair_with(
    capacity: usize,
    server: Config,
    client: Config,
) -> (WsStream<Tungstenite<Pipe>>, WsStream<Tungstenite<Pipe>>) {
    let sockets = tungstenite_sockets(capacity).await;
    (
        WsStream::with_config(sockets.0, server).unwrap(),
        WsStream::with_config(sockets.1, client).unwrap(),
    )
}
