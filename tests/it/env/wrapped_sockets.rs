//! WebSockets that other crates opened: `WsStream::new` of the bare socket, and the way back. Most
//! other tests run over sockets of `async_tungstenite` too, so these are about `tokio_tungstenite`.

use std::io::ErrorKind;

use async_tungstenite::tungstenite;
use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, TryStreamExt, future};
use support::{timeout, tungstenite_sockets};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, accept_async, connect_async, tungstenite::Message,
};
use ws_framed::{CloseFrame, CloseOutcome, ClosedBy, Lines, LossCause, WsStream};

type Server = WebSocketStream<TcpStream>;
type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn pair() -> (Server, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let accept = async { accept_async(listener.accept().await.unwrap().0).await };
    let (server, client) = future::join(accept, connect_async(url)).await;
    (server.unwrap(), client.unwrap().0)
}

/// Bytes arrive in both directions, and the close is clean.
#[tokio::test]
async fn tokio_tungstenite_closes_cleanly() {
    let (server, client) = pair().await;
    let (mut server, mut client) = (WsStream::new(server), WsStream::new(client).boxed());
    let bytes = vec![7; 300_000];
    let answer = async {
        let mut got = vec![0; bytes.len()];
        server.read_exact(&mut got).await.unwrap();
        server.write_all(&got).await.unwrap();
        let mut rest = Vec::new();
        server.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty());
    };
    let ask = async {
        client.write_all(&bytes).await.unwrap();
        let mut got = vec![0; bytes.len()];
        client.read_exact(&mut got).await.unwrap();
        assert_eq!(got, bytes);
        client.close_with(CloseFrame::normal()).await.unwrap()
    };
    let ((), outcome) = future::join(answer, ask).await;
    let by = ClosedBy::Us;
    assert!(
        matches!(outcome, CloseOutcome::Clean { by: ref who, .. } if *who == by),
        "{outcome:?}"
    );
}

/// Items arrive in both directions.
#[tokio::test]
async fn tokio_tungstenite_exchanges_items() {
    let (server, client) = pair().await;
    let mut server = WsStream::new(server).framed(Lines::new(80));
    let mut client = WsStream::new(client).framed(Lines::new(80));
    client.send("hello".to_owned()).await.unwrap();
    assert_eq!(server.try_next().await.unwrap().unwrap(), "hello");
    server.send("hi".to_owned()).await.unwrap();
    assert_eq!(client.try_next().await.unwrap().unwrap(), "hi");
}

/// Text is an error, and the peer gets close code 1003.
#[tokio::test]
async fn tokio_tungstenite_rejects_text() {
    let (server, mut client) = pair().await;
    let mut server = WsStream::new(server);
    client.send(Message::text("text")).await.unwrap();
    let script = async {
        let Some(Ok(Message::Close(Some(frame)))) = client.next().await else {
            panic!("no close frame")
        };
        drop(client);
        u16::from(frame.code)
    };
    let mut nothing = [0];
    let (read, code) = future::join(server.read(&mut nothing), script).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(code, 1003);
}

/// A missing close frame is an error.
#[tokio::test]
async fn tokio_tungstenite_reports_abnormal_closure() {
    let (server, client) = pair().await;
    drop(client);
    let error = WsStream::new(server).read(&mut [0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

/// Both sockets come back from their streams, with the bytes that were received and not read, and
/// work as before.
macro_rules! check_unwrapping {
    ($server:expr, $client:expr, $message:ty) => {
        let (mut server, mut client) = (WsStream::new($server), WsStream::new($client));
        client.write_all(b"bytes unread").await.unwrap();
        client.flush().await.unwrap();
        let mut read = [0; 6];
        server.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"bytes ");
        let handle = server.handle();
        let (transport, unread) = server.into_transport();
        assert_eq!(&unread[..], b"unread");
        assert_eq!(
            handle.closed().await,
            CloseOutcome::Lost(LossCause::Dropped)
        );
        let mut server = transport.into_inner();
        let (transport, unread) = client.into_transport();
        assert!(unread.is_empty());
        let mut client = transport.into_inner();
        let text = <$message>::text("text");
        client.send(text.clone()).await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap(), text);
        let binary = <$message>::binary(&b"binary"[..]);
        server.send(binary.clone()).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), binary);
        client.close(None).await.unwrap();
        let closed = server.next().await.unwrap().unwrap();
        assert!(closed.is_close(), "{closed:?}");
    };
}

/// A socket of `tokio_tungstenite` comes back from its stream.
#[tokio::test]
async fn tokio_tungstenite_comes_back_out() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;
        check_unwrapping!(server, client, Message);
    }))
    .await;
}

/// A socket of `async_tungstenite` comes back from its stream.
#[test]
fn async_tungstenite_comes_back_out() {
    futures::executor::block_on(timeout(Box::pin(async {
        let (server, client) = tungstenite_sockets(1000).await;
        check_unwrapping!(server, client, tungstenite::Message);
    })));
}
