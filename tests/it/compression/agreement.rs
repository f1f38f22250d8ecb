//! The handshake: offers, answers, and what the stream tells about them.

use support::{
    ROLES, Role, config_without_keepalive,
    handshake::{open_pair, read_head, response_with},
    pair_with, run, tcp,
};
use tokio::io::AsyncWriteExt;
use ws_framed::{Acceptor, Compression, Connector, Deflate, LengthDelimited, Setting, WsErr};

use super::{alone, config, open, with_context};

fn fields(found: Option<Compression>) -> Option<(bool, bool, u8, u8)> {
    found.map(|agreed| {
        (
            agreed.send_context,
            agreed.recv_context,
            agreed.send_window_bits,
            agreed.recv_window_bits,
        )
    })
}

/// Both ends tell the same, in each view, and after each conversion.
#[test]
fn both_ends_tell_the_agreement() {
    run(async {
        let server = alone().send_context(true).send_window_bits(10);
        let client = with_context().recv_window_bits(12);
        let (server, client) = pair_with(config(server), config(client)).await;
        let (sent, received) = ((true, false, 10, 15), (false, true, 15, 10));
        assert_eq!(fields(server.compression()), Some(sent));
        assert_eq!(fields(client.compression()), Some(received));
        let messages = server.messages();
        assert_eq!(fields(messages.compression()), Some(sent));
        let framed = client.framed(LengthDelimited::new(100));
        assert_eq!(fields(framed.compression()), Some(received));
        let stream = framed.into_stream();
        assert_eq!(fields(stream.compression()), Some(received));
    });
}

/// Compression is off unless both ends ask for it.
#[test]
fn both_ends_must_ask() {
    run(async {
        let without = config_without_keepalive;
        for (server, client) in [
            (without(), without()),
            (config(alone()), without()),
            (without(), config(alone())),
        ] {
            let (server, client) = pair_with(server, client).await;
            assert_eq!(server.compression(), None);
            assert_eq!(client.compression(), None);
            support::handshake::exchange_and_close(server, client).await;
        }
    });
}

/// The header that each role sends, by default and with context.
#[test]
fn headers_of_the_handshake() {
    run(async {
        for role in ROLES {
            for deflate in [alone(), with_context()] {
                let takes_over = deflate.send_context;
                let params = "; server_no_context_takeover; client_no_context_takeover";
                let params = if takes_over { "" } else { params };
                let (stream, _, head) = open(role, config(deflate), params).await;
                let line = head
                    .lines()
                    .find(|line| line.to_lowercase().starts_with("sec-websocket-extensions"))
                    .unwrap();
                let (_, value) = line.split_once(": ").unwrap();
                let expected = match role {
                    Role::Client => format!("permessage-deflate{params}; client_max_window_bits"),
                    Role::Server => format!("permessage-deflate{params}"),
                };
                assert_eq!(value, expected);
                let agreed = stream.compression().unwrap();
                assert_eq!(agreed.send_context, takes_over);
                assert_eq!(agreed.recv_context, takes_over);
            }
        }
    });
}

/// What a client has not offered fails its handshake, with an error that names it.
#[test]
fn unoffered_answer_is_named() {
    run(async {
        for (config, answer) in [
            (config_without_keepalive(), "permessage-deflate"),
            (config(alone()), "permessage-deflate"),
            (config(alone()), "x-snappy; level=1"),
            (
                config(with_context()),
                "permessage-deflate; client_max_window_bits=8",
            ),
        ] {
            let (ours, mut theirs) = tcp().await;
            let connector = Connector::new().config(config);
            let script = async {
                let request = read_head(&mut theirs).await;
                let line = format!("Sec-WebSocket-Extensions: {answer}\r\n");
                let response = response_with(request.as_bytes(), &line);
                theirs.write_all(&response).await.unwrap();
            };
            let ours = connector.connect_over(ours, "ws://localhost/");
            let (opened, ()) = futures::future::join(ours, script).await;
            let error = opened.map(drop).unwrap_err();
            assert!(
                matches!(&error, WsErr::Extension(named) if named == answer),
                "{error:?}"
            );
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
        }
    });
}

/// An acceptor that compresses rejects a malformed list of extensions with status 400.
#[test]
fn malformed_offer_is_rejected() {
    run(async {
        let (ours, mut theirs) = tcp().await;
        let acceptor = Acceptor::new().config(config(alone()));
        let script = async {
            let line = "Sec-WebSocket-Extensions: permessage-deflate; =\r\n\r\n";
            let request = support::handshake::REQUEST;
            let request = request.replace("\r\n\r\n", &format!("\r\n{line}"));
            theirs.write_all(request.as_bytes()).await.unwrap();
            read_head(&mut theirs).await
        };
        let (opened, head) = futures::future::join(acceptor.accept(ours), script).await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
        assert!(matches!(opened.map(drop), Err(WsErr::Rejected(_))));
    });
}

/// Invalid settings are refused, in both roles.
#[test]
fn invalid_settings_are_refused() {
    run(async {
        for (deflate, setting) in [
            (alone().level(0), Setting::DeflateLevel),
            (alone().level(10), Setting::DeflateLevel),
            (alone().send_window_bits(8), Setting::DeflateWindow),
            (alone().send_window_bits(16), Setting::DeflateWindow),
            (alone().recv_window_bits(8), Setting::DeflateWindow),
            (alone().recv_window_bits(16), Setting::DeflateWindow),
        ] {
            let acceptor = Acceptor::new().config(config(deflate));
            let connector = Connector::new().config(config(deflate));
            let (server, client) = open_pair(&acceptor, &connector).await;
            for opened in [server, client] {
                let error = opened.map(drop).unwrap_err();
                assert_eq!(error, WsErr::InvalidConfig(setting));
            }
        }
    });
}

/// A configuration file switches compression on and off.
#[test]
fn settings_are_part_of_a_file() {
    let parse = |text: &str| serde_json::from_str::<ws_framed::Config>(text);
    let found = parse(r#"{"compression": {"level": 1, "min_len": "1 KiB", "send_context": true}}"#);
    let expected = Deflate::default().level(1).min_len(1024).send_context(true);
    assert_eq!(found.unwrap().compression, Some(expected));
    let off = parse(r#"{"compression": "off"}"#).unwrap();
    assert_eq!(off.compression, None);
    assert!(parse(r#"{"compression": {"levels": 1}}"#).is_err());
    let config = ws_framed::Config::default().compression(expected);
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(parse(&text).unwrap(), config);
}

/// The memory formula has a term for compression.
#[test]
fn compression_counts_as_memory() {
    let without = ws_framed::Config::default();
    let of = |deflate: Deflate| without.clone().compression(deflate).max_memory(0, 0);
    let base = without.max_memory(0, 0);
    assert_eq!(
        of(Deflate::default()) - base,
        Deflate::default().max_memory()
    );
    assert!(of(alone()) < of(with_context().send_window_bits(9)));
    assert!(of(with_context().send_window_bits(9)) < of(with_context()));
}
