//! Offers of other clients, which may be malicious, and the token of a contract.

use futures::future;
use proptest::prelude::*;
use support::{
    handshake::{ACCEPT_KEY, REQUEST, read_head},
    timeout,
};
use tokio::io::{AsyncWriteExt, duplex};
use ws_framed::{Acceptor, Contract, WsErr, WsStream};

fn acceptor(contract: &str) -> Acceptor {
    Acceptor::new().contract(contract.parse().unwrap())
}

/// Sends a request with these headers. Returns the result of the server and the head of its
/// response.
async fn send_request(ours: &Acceptor, offers: &str) -> (Result<WsStream, WsErr>, String) {
    let (server, mut client) = duplex(64 * 1024);
    let request = REQUEST.strip_suffix("\r\n").unwrap().to_owned() + offers + "\r\n";
    let script = async {
        client.write_all(request.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        read_head(&mut client).await
    };
    future::join(ours.accept(server), script).await
}

/// A web page may offer the token of a contract in any of several headers.
#[tokio::test]
async fn offer_in_several_headers() {
    timeout(async {
        let ours = acceptor("chat.v2.json.65536.message");
        for offers in [
            "Sec-WebSocket-Protocol: chat.v2.json.65536.message\r\n",
            "Sec-WebSocket-Protocol: a, ,b\r\nSec-WebSocket-Protocol: \r\n\
             sec-websocket-protocol: c,chat.v2.json.65536.message ,chat.v2.json.65536.message\r\n",
        ] {
            let (server, head) = send_request(&ours, offers).await;
            assert!(head.contains(ACCEPT_KEY), "{head}");
            let head = head.to_lowercase();
            let chosen = "\r\nsec-websocket-protocol: chat.v2.json.65536.message\r\n";
            assert!(head.contains(chosen), "{head}");
            let expected: Contract = "chat.v2.json.65536.message".parse().unwrap();
            assert_eq!(server.unwrap().contract(), Some(&expected));
        }
    })
    .await;
}

/// An offer of many, long or invalid tokens gets a short reason in printable ASCII.
#[tokio::test]
async fn malicious_offer_gets_short_reason() {
    timeout(async {
        let ours = acceptor("chat.v2.json.9");
        let long = "x".repeat(15_000);
        let many: Vec<_> = (0..900).map(|n| format!("chat.v{n}.json.8")).collect();
        for offer in [
            format!("{long}.v2.json.9"),
            format!("chat.v2.{long}.9"),
            many.join(","),
            many.join("\r\nSec-WebSocket-Protocol: ")[..14_000].to_owned(),
            ",".repeat(15_000),
            "chat.v2.json.9\u{1}, chat.v1.jsön.9".to_owned(),
            "chat.v1.\u{7f}\u{9b}31m.9".to_owned(),
        ] {
            let (server, head) =
                send_request(&ours, &format!("Sec-WebSocket-Protocol: {offer}\r\n")).await;
            let head = head.lines().next().unwrap().to_owned();
            match server.map(drop).unwrap_err() {
                WsErr::Rejected(response) => {
                    let reason = response.reason();
                    assert!(reason.len() < 200, "{head} {reason}");
                    assert!(
                        reason.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
                        "{reason:?}"
                    );
                }
                other => panic!("{other:?}"),
            }
            assert!(head.starts_with("HTTP/1.1 4"), "{head}");
        }
    })
    .await;
}

prop_compose! {
    fn contracts()(
        name in "[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,128}",
        version: u32,
        codec in "[a-zA-Z0-9!#$%&'*+^_`|~-]{1,128}",
        limit: u32,
        message in any::<bool>(),
    ) -> String {
        let message = if message { ".message" } else { "" };
        format!("{name}.v{version}.{codec}.{limit}{message}")
    }
}

/// Strings that resemble tokens, and arbitrary ones.
fn near_misses() -> impl Strategy<Value = String> {
    "[ab. ]{0,3}\\.v[+01]{1,2}\\.[ab. ]{0,2}\\.[+01]{1,2}(\\.message){0,2}|\\PC{0,40}"
}

proptest! {
    /// A contract prints as the token that it is parsed from.
    #[test]
    fn token_is_parsed_and_printed(token in contracts()) {
        let contract = token.parse::<Contract>().unwrap();
        prop_assert_eq!(contract.to_string(), token);
    }

    /// No two tokens are the same contract.
    #[test]
    fn contract_has_one_token(token in near_misses()) {
        if let Ok(contract) = token.parse::<Contract>() {
            prop_assert_eq!(contract.to_string(), token);
        }
    }
}
