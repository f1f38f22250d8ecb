//! Opening connections on smol.

use futures::{AsyncReadExt, AsyncWriteExt, future};
use smol::net::TcpListener;
use ws_framed::{Acceptor, CloseFrame, CloseOutcome, Connector, Rejection, WsErr, WsStream};

/// A server's end by `accept`, and a client's by `connect`.
async fn meet(
    accept: impl AsyncFnOnce(smol::net::TcpStream) -> Result<WsStream, WsErr>,
    connect: impl AsyncFnOnce(String) -> Result<WsStream, WsErr>,
) -> (Result<WsStream, WsErr>, Result<WsStream, WsErr>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/chat", listener.local_addr().unwrap());
    let server = async { accept(listener.accept().await.unwrap().0).await };
    future::join(server, connect(url)).await
}

#[test]
fn both_ends_talk_and_close() {
    smol::block_on(async {
        let accept = async |socket| ws_framed::smol::accept(socket).await;
        let connect = async |url| ws_framed::smol::connect(url).await;
        let (server, client) = meet(accept, connect).await;
        let (mut server, mut client) = (server.unwrap(), client.unwrap());
        client.write_all(b"hello").await.unwrap();
        client.flush().await.unwrap();
        let mut got = [0; 5];
        server.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"hello");
        let closing = client.close_with(CloseFrame::normal());
        let (closed, end) = future::join(closing, server.read(&mut got)).await;
        assert!(
            matches!(closed, Ok(CloseOutcome::Clean { .. })),
            "{closed:?}"
        );
        assert_eq!(end.unwrap(), 0);
    });
}

#[test]
fn the_builders_are_those_of_tokio() {
    smol::block_on(async {
        let acceptor = Acceptor::new().subprotocol("v2").allow_path("/chat");
        let connector = Connector::new().subprotocol("v2");
        let accept = async |socket| acceptor.accept_futures_io(socket).await;
        let connect = async |url| ws_framed::smol::connect_with(&connector, url).await;
        let (server, client) = meet(accept, connect).await;
        assert_eq!(server.unwrap().subprotocol(), Some("v2"));
        assert_eq!(client.unwrap().subprotocol(), Some("v2"));
    });
}

#[test]
fn a_refusal_is_told_to_both() {
    smol::block_on(async {
        let refuse = async |socket| {
            let refuse =
                |_: &ws_framed::HandshakeRequest<'_>| Err(Rejection::new(402, "pay first"));
            Acceptor::new().accept_futures_io_with(socket, refuse).await
        };
        let connect = async |url| ws_framed::smol::connect(url).await;
        let (server, client) = meet(refuse, connect).await;
        for end in [server, client] {
            let error = end.map(drop).unwrap_err();
            assert!(
                matches!(&error, WsErr::Refused { status: 402, reason } if reason == "pay first"),
                "{error:?}"
            );
        }
    });
}
