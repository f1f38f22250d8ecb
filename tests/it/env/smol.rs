//! `connect` and `accept` on smol.

use futures::{AsyncReadExt, AsyncWriteExt, future};
use smol::net::TcpListener;
use ws_framed::{Acceptor, CloseFrame, CloseOutcome, Connector, Rejection, WsErr, WsStream};

/// The results of `accept` for a server and of `connect` for a client.
async fn open(
    accept: impl AsyncFnOnce(smol::net::TcpStream) -> Result<WsStream, WsErr>,
    connect: impl AsyncFnOnce(String) -> Result<WsStream, WsErr>,
) -> (Result<WsStream, WsErr>, Result<WsStream, WsErr>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/chat", listener.local_addr().unwrap());
    let server = async { accept(listener.accept().await.unwrap().0).await };
    future::join(server, connect(url)).await
}

/// `connect` and `accept` exchange data, and close cleanly.
#[test]
fn data_and_clean_close() {
    smol::block_on(async {
        let accept = async |socket| ws_framed::smol::accept(socket).await;
        let connect = async |url| ws_framed::smol::connect(url).await;
        let (server, client) = open(accept, connect).await;
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

/// `Connector` and `Acceptor` work on smol as on tokio.
#[test]
fn builders_work_on_smol() {
    smol::block_on(async {
        let acceptor = Acceptor::new().subprotocol("v2").allow_path("/chat");
        let connector = Connector::new().subprotocol("v2");
        let accept = async |socket| acceptor.accept_futures_io(socket).await;
        let connect = async |url| ws_framed::smol::connect_with(&connector, url).await;
        let (server, client) = open(accept, connect).await;
        assert_eq!(server.unwrap().subprotocol(), Some("v2"));
        assert_eq!(client.unwrap().subprotocol(), Some("v2"));
    });
}

/// Both ends get a rejection, with its status and reason.
#[test]
fn rejection_reaches_both_ends() {
    smol::block_on(async {
        let reject = async |socket| {
            let reject = async |_| Err::<(), _>(Rejection::new(402, "pay first"));
            let acceptor = Acceptor::new().on_request(reject);
            let accepted = acceptor.accept_futures_io(socket).await;
            accepted.map(|(stream, ())| stream)
        };
        let connect = async |url| ws_framed::smol::connect(url).await;
        let (server, client) = open(reject, connect).await;
        for end in [server, client] {
            let error = end.map(drop).unwrap_err();
            assert!(
                matches!(&error, WsErr::Rejected(response) if response.status() == 402 && response.reason() == "pay first"),
                "{error:?}"
            );
        }
    });
}
