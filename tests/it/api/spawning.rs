//! The futures of the library can be spawned.

use futures::future::BoxFuture;
use ws_framed::{
    Acceptor, CloseFrame, Connector, Encoded, Lines, Reconnector, Rejection, WsErr, WsFramed,
    WsHandle, WsStream, accept, connect, http::Request,
};

/// The futures of the library are `Send`.
#[test]
fn futures_can_be_spawned() {
    fn spawnable<F: Future + Send>(_: impl FnOnce() -> F) {}
    fn never<T>() -> T {
        unreachable!("only its type is of interest")
    }
    spawnable(|| accept(never::<tokio::net::TcpStream>()));
    spawnable(|| connect("ws://localhost"));
    spawnable(|| async { never::<Connector>().connect("ws://localhost").await });
    spawnable(|| async {
        never::<Acceptor>()
            .accept(never::<tokio::io::DuplexStream>())
            .await
    });
    spawnable(|| async { never::<WsStream>().close_with(CloseFrame::normal()).await });
    spawnable(|| async {
        never::<WsFramed<u8>>()
            .close_with(CloseFrame::normal())
            .await
    });
    spawnable(|| async { never::<WsHandle>().ping().await });
    spawnable(|| async { never::<WsHandle>().closed().await });
    spawnable(|| async {
        let callback = async |request: Request<()>| match request.uri().path() {
            "/" => Err(Rejection::new(404, "no such room")),
            room => Ok(room.to_owned()),
        };
        never::<Acceptor>()
            .on_request(callback)
            .accept(never::<tokio::io::DuplexStream>())
            .await
    });
    spawnable(|| async {
        never::<Acceptor>()
            .accept_futures_io(never::<WsStream>())
            .await
    });
    spawnable(|| async {
        never::<Connector>()
            .connect_over(never::<tokio::io::DuplexStream>(), "ws://localhost")
            .await
    });
    spawnable(|| async {
        never::<Connector>()
            .connect_over_futures_io(never::<WsStream>(), "ws://localhost")
            .await
    });
    spawnable(|| async { never::<WsFramed<String, Lines>>().feed_ref("hello").await });
    spawnable(|| async {
        let item = never::<Encoded<Lines>>();
        never::<WsFramed<String, Lines>>().feed_encoded(&item).await
    });
    spawnable(|| async {
        let connect = async move || connect("ws://localhost").await;
        Reconnector::new(connect).connect().await
    });
    spawnable(|| async {
        let connector = never::<Connector>();
        let connector = connector
            .resolver(async |_, _| Ok(Vec::new()))
            .proxy("http://proxy")
            .follow_redirects(3);
        connector.connect("ws://localhost").await?;
        ws_framed::smol::connect_with(&connector, "ws://localhost").await
    });
    spawnable(|| async {
        ws_framed::smol::connect("ws://localhost").await?;
        ws_framed::smol::connect_with(&never(), "ws://localhost").await?;
        ws_framed::smol::accept(never::<WsStream>()).await
    });
}

/// A `Reconnector` takes a function pointer, so that its type can be named in a struct field.
#[test]
fn reconnector_fits_a_struct_field() {
    type Connect = fn() -> BoxFuture<'static, Result<WsStream, WsErr>>;
    struct Client {
        reconnector: Reconnector<Connect>,
    }
    let mut client = Client {
        reconnector: Reconnector::new(|| Box::pin(async { Err(WsErr::NoSubprotocol) })),
    };
    let connected = futures::executor::block_on(client.reconnector.connect());
    assert!(matches!(connected, Err(WsErr::NoSubprotocol)));
}
