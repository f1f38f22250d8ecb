//! A WebSocket that was opened by `tokio_tungstenite`, under both views.

use std::io::ErrorKind;

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, TryStreamExt, future};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, accept_async, connect_async, tungstenite::Message,
};
use ws_framed::{CloseFrame, CloseOutcome, ClosedBy, Lines, WsStream};

type Server = WebSocketStream<TcpStream>;
type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn pair() -> (Server, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let accept = async { accept_async(listener.accept().await.unwrap().0).await };
    let (server, client) = future::join(accept, connect_async(url)).await;
    (server.unwrap(), client.unwrap().0)
}

#[tokio::test]
async fn bytes_go_both_ways_and_a_close_is_clean() {
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

#[tokio::test]
async fn items_go_both_ways() {
    let (server, client) = pair().await;
    let mut server = WsStream::new(server).framed(Lines::new(80));
    let mut client = WsStream::new(client).framed(Lines::new(80));
    client.send("hello".to_owned()).await.unwrap();
    assert_eq!(server.try_next().await.unwrap().unwrap(), "hello");
    server.send("hi".to_owned()).await.unwrap();
    assert_eq!(client.try_next().await.unwrap().unwrap(), "hi");
}

#[tokio::test]
async fn text_is_refused_and_the_peer_hears_of_it() {
    let (server, mut client) = pair().await;
    let mut server = WsStream::new(server);
    client.send(Message::text("text")).await.unwrap();
    let hear = async {
        let Some(Ok(Message::Close(Some(frame)))) = client.next().await else {
            panic!("no close frame")
        };
        drop(client);
        u16::from(frame.code)
    };
    let mut nothing = [0];
    let (read, code) = future::join(server.read(&mut nothing), hear).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(code, 1003);
}

#[tokio::test]
async fn a_cut_is_no_clean_end() {
    let (server, client) = pair().await;
    drop(client);
    let error = WsStream::new(server).read(&mut [0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}
