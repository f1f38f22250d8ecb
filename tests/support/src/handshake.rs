//! The opening handshake (RFC 6455 section 4): by hand, and by this library in either role.

use async_tungstenite::{tokio::TokioAdapter, tungstenite::handshake::derive_accept_key};
use futures::future;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use ws_framed::{Acceptor, CloseFrame, CloseOutcome, Config, Connector, WsErr, WsStream};

use crate::{RawPeer, Role, tcp};

/// A request that a server accepts. Its key and that of the response are the example of RFC 6455
/// section 1.3.
pub const REQUEST: &str = "GET / HTTP/1.1\r\n\
    Host: localhost\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// The key in the response to [`REQUEST`].
pub const ACCEPT_KEY: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Our end, in this role, over `io`.
pub async fn open(
    role: Role,
    config: Config,
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<WsStream, WsErr> {
    match role {
        Role::Server => Acceptor::new().config(config).accept(io).await,
        Role::Client => {
            let connector = Connector::new().config(config);
            connector.connect_over(io, "ws://localhost/").await
        }
    }
}

/// Reads the head of a request or a response, which must come.
pub async fn read_head(mut io: impl AsyncRead + Unpin) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.expect("the head of a handshake"));
    }
    String::from_utf8(head).unwrap()
}

/// The response of a server to this request.
pub fn response_to(request: &[u8]) -> Vec<u8> {
    response_with(request, "")
}

/// The same, with these lines added.
pub fn response_with(request: &[u8], lines: &str) -> Vec<u8> {
    let request = std::str::from_utf8(request).unwrap();
    let key = request
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        .map(|(_, key)| key.trim())
        .expect("a key");
    let accept = derive_accept_key(key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{lines}\r\n"
    )
    .into_bytes()
}

/// Our end in this role, and a scripted peer that agrees to permessage-deflate with `params`.
/// Returns the head that our end sent in the handshake, too.
pub async fn open_compressed(
    role: Role,
    config: Config,
    params: &str,
) -> (WsStream, RawPeer, String) {
    let (ours, mut theirs) = tcp().await;
    let line = format!("Sec-WebSocket-Extensions: permessage-deflate{params}\r\n");
    let script = async {
        let head = match role {
            Role::Server => {
                let request = REQUEST.replace("\r\n\r\n", &format!("\r\n{line}\r\n"));
                theirs.write_all(request.as_bytes()).await.unwrap();
                read_head(&mut theirs).await
            }
            Role::Client => {
                let request = read_head(&mut theirs).await;
                let response = response_with(request.as_bytes(), &line);
                theirs.write_all(&response).await.unwrap();
                request
            }
        };
        (theirs, head)
    };
    let (ours, (theirs, head)) = future::join(open(role, config, ours), script).await;
    let peer = RawPeer::new(TokioAdapter::new(theirs), role.other());
    (ours.unwrap(), peer, head)
}

/// Opens a connection over TCP with these settings.
pub async fn open_pair(
    acceptor: &Acceptor,
    connector: &Connector,
) -> (Result<WsStream, WsErr>, Result<WsStream, WsErr>) {
    let (accepted, connected) = tcp().await;
    future::join(
        acceptor.accept(accepted),
        connector.connect_over(connected, "ws://localhost/"),
    )
    .await
}

/// Shows that a connection works, and closes it.
pub async fn exchange_and_close(mut server: WsStream, mut client: WsStream) {
    let mut got = [0; 5];
    client.write_all(b"hello").await.unwrap();
    client.flush().await.unwrap();
    server.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"hello");
    let (outcome, end) = future::join(
        server.close_with(CloseFrame::normal()),
        client.read(&mut got),
    )
    .await;
    assert!(
        matches!(outcome, Ok(CloseOutcome::Clean { .. })),
        "{outcome:?}"
    );
    assert_eq!(end.unwrap(), 0);
}
