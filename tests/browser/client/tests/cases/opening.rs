//! Connecting, and failing to.

use std::{cell::Cell, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, StreamExt};
use protocol::{CONTRACT, Reply, Request, SUBPROTOCOLS, ask};
use wasm_bindgen_test::wasm_bindgen_test;
use ws_framed::{
    CloseFrame, CloseOutcome, Config, Connector, Contract, Lines, ReconnectState, Reconnector,
    WsErr,
};

use super::{asker, ending, open, own, url};

/// A client connects, sends, receives and closes by the same code as on a server.
#[wasm_bindgen_test]
async fn items_and_close_work_in_browsers() {
    let mut asker = asker().await;
    let reply = ask(&mut asker, Request::Sum(vec![40, 2])).await.unwrap();
    assert_eq!(reply, Reply::Sum(42));
    let outcome = asker.close_with(CloseFrame::normal()).await.unwrap();
    assert!(matches!(outcome, CloseOutcome::Clean { .. }), "{outcome:?}");
}

/// The byte stream reads and writes, and a read sends unflushed data.
#[wasm_bindgen_test]
async fn byte_stream_reads_and_writes() {
    let mut stream = open("/echo").await;
    stream.write_all(b"hello").await.unwrap();
    // The read sends unflushed data.
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"hello");
    assert_eq!(stream.handle().stats().messages_received, 1);
}

/// A rejected handshake is a typed error.
#[wasm_bindgen_test]
async fn rejection_is_typed_error() {
    let error = ws_framed::connect(url("/refuse/403")).await.unwrap_err();
    assert!(matches!(error, WsErr::Handshake(_)), "{error:?}");
}

#[wasm_bindgen_test]
async fn unreachable_server_is_typed_error() {
    // Port 1 is tcpmux, which no program serves.
    let error = ws_framed::connect("ws://127.0.0.1:1").await.unwrap_err();
    assert!(matches!(error, WsErr::Handshake(_)), "{error:?}");
}

/// A handshake without an answer ends after `handshake_timeout`.
#[wasm_bindgen_test]
async fn silent_server_times_out() {
    let config = Config::default().handshake_timeout(Duration::from_millis(200));
    let path = own("silent");
    let connector = Connector::new().config(config);
    let error = connector.connect(url(&path)).await.unwrap_err();
    assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
    ending(&path).await;
}

/// A `connect` that is dropped in flight closes the socket.
#[wasm_bindgen_test]
async fn dropped_connect_closes_the_socket() {
    let path = own("silent");
    {
        let url = url(&path);
        let mut connecting = std::pin::pin!(ws_framed::connect(url));
        assert!(connecting.as_mut().now_or_never().is_none());
        super::sleep(Duration::from_millis(50)).await;
        assert!(connecting.as_mut().now_or_never().is_none());
    }
    ending(&path).await;
}

/// An invalid URL is a typed error with a reason.
#[wasm_bindgen_test]
async fn invalid_url_is_typed_error() {
    for url in [
        "",
        "ws://",
        "ws://host:99999",
        "ftp://host",
        "ws://host/#part",
    ] {
        match ws_framed::connect(url).await {
            Err(WsErr::InvalidUrl(why)) => assert!(!why.is_empty()),
            // A relative address is a fine one on a page.
            Err(WsErr::Handshake(_)) if url.is_empty() => {}
            other => panic!("{url:?} gave {other:?}"),
        }
    }
}

#[wasm_bindgen_test]
async fn headers_are_unsupported_and_say_so() {
    let connector = Connector::new().header("Authorization", "Bearer 8f3a");
    let error = connector.connect(url("/echo")).await.unwrap_err();
    assert!(matches!(error, WsErr::Unsupported(_)), "{error:?}");
}

#[wasm_bindgen_test]
async fn pings_are_unsupported_and_say_so() {
    let stream = open("/echo").await;
    let error = stream.handle().ping().await.unwrap_err();
    assert!(matches!(error, WsErr::Unsupported(_)), "{error:?}");
}

#[wasm_bindgen_test]
async fn the_server_chooses_the_subprotocol() {
    let offer = |names: &[&str]| {
        let offer = Connector::new().subprotocol("something.else");
        names
            .iter()
            .fold(offer, |offer, name| offer.subprotocol(*name))
    };
    let old = offer(&[SUBPROTOCOLS[1]]).connect(url("/chat")).await;
    assert_eq!(old.unwrap().subprotocol(), Some(SUBPROTOCOLS[1]));
    let both = offer(&SUBPROTOCOLS).connect(url("/chat")).await;
    assert_eq!(both.unwrap().subprotocol(), Some(SUBPROTOCOLS[0]));
    assert_eq!(open("/chat").await.subprotocol(), None);
}

/// A server that selects no subprotocol is a typed error.
#[wasm_bindgen_test]
async fn missing_subprotocol_is_typed_error() {
    let connector = Connector::new().subprotocol("chat.v3");
    for path in ["/chat", "/echo"] {
        let error = connector.connect(url(path)).await.unwrap_err();
        // Browsers see to it themselves, and don't say why; old ones leave it to the library.
        let is_typed = matches!(error, WsErr::Handshake(_) | WsErr::NoSubprotocol);
        assert!(is_typed, "{error:?}");
    }
}

/// A contract that both ends have is agreed on, and any other is refused.
#[wasm_bindgen_test]
async fn contract_is_agreed_or_refused() {
    let contract = |version| {
        Contract::new("chat", version, &Lines::new(80))
            .unwrap()
            .per_message()
    };
    let connect = async |connector: Connector| connector.connect(url("/contract")).await;
    // The second one more than once, which a browser would not have.
    let connector = Connector::new().contract(contract(3)).contract(contract(2));
    let connector = connector.contract(contract(2)).subprotocol(CONTRACT);
    let stream = connect(connector).await.unwrap();
    assert_eq!(stream.contract(), Some(&contract(2)));
    assert_eq!(stream.subprotocol(), Some(CONTRACT));
    // A browser does not say why.
    for connector in [Connector::new().contract(contract(1)), Connector::new()] {
        let error = connect(connector).await.unwrap_err();
        assert!(matches!(error, WsErr::Handshake(_)), "{error:?}");
    }
}

/// A subprotocol that cannot be offered is a typed error.
#[wasm_bindgen_test]
async fn invalid_subprotocol_is_typed_error() {
    for names in [&["two words"][..], &[""]] {
        let offer = names
            .iter()
            .fold(Connector::new(), |c, name| c.subprotocol(*name));
        let error = offer.connect(url("/chat")).await.unwrap_err();
        assert!(
            matches!(error, WsErr::InvalidHeader(_)),
            "{names:?}: {error:?}"
        );
    }
}

#[wasm_bindgen_test]
async fn reconnector_retries_until_success() {
    let attempts = Cell::new(0);
    let connect = async || {
        attempts.set(attempts.get() + 1);
        let path = if attempts.get() < 3 {
            "/refuse/503"
        } else {
            "/echo"
        };
        ws_framed::connect(url(path)).await
    };
    let mut reconnector = Reconnector::new(connect).initial_backoff(Duration::from_millis(20));
    let mut stream = reconnector.connect().await.unwrap();
    assert_eq!(attempts.get(), 3);
    stream.write_all(b"back").await.unwrap();
    stream.read_exact(&mut [0; 4]).await.unwrap();
}

/// The network is back: a wait of an hour ends.
#[wasm_bindgen_test]
async fn online_event_ends_a_wait() {
    let attempts = Cell::new(0);
    let connect = async || {
        attempts.set(attempts.get() + 1);
        let path = if attempts.get() < 2 {
            "/refuse/503"
        } else {
            "/echo"
        };
        ws_framed::connect(url(path)).await
    };
    let hour = Duration::from_secs(3600);
    let reconnector = Reconnector::new(connect);
    let mut reconnector = reconnector.initial_backoff(hour).max_backoff(hour);
    let mut states = reconnector.handle().states();
    let dispatch = async {
        while !matches!(states.next().await, Some(ReconnectState::Waiting { .. })) {}
        let event = js_sys::Function::new_no_args("dispatchEvent(new Event('online'))");
        event.call0(&wasm_bindgen::JsValue::NULL).unwrap();
    };
    let (connected, ()) = futures::future::join(reconnector.connect(), dispatch).await;
    connected.unwrap();
    assert_eq!(attempts.get(), 2);
}
