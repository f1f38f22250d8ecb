//! Settings: invalid, extreme and default values.

use std::{io::ErrorKind, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};
use support::{pair_with, run};
use ws_framed::{Acceptor, CloseCode, Config, Connector, Deflate, Keepalive, TextPolicy, WsErr};

/// `Acceptor` and `Connector` refuse each invalid value of a `Config`, with an error that names it.
#[test]
fn invalid_values_are_refused() {
    let zero = Duration::ZERO;
    let config = Config::default;
    let rows = [
        (config().max_send_message_len(0), "max_send_message_len"),
        (
            config().max_send_message_len(usize::MAX),
            "max_send_message_len",
        ),
        (config().max_send_frame_len(0), "max_send_frame_len"),
        (config().max_recv_message_len(0), "max_recv_message_len"),
        (
            config().max_recv_message_len(usize::MAX),
            "max_recv_message_len",
        ),
        (config().close_timeout(zero), "close_timeout"),
        (config().ping_timeout(zero), "ping_timeout"),
        (config().handshake_timeout(zero), "handshake_timeout"),
        (config().message_timeout(zero), "message_timeout"),
        (config().failure_codes([2999]), "failure_codes"),
        (config().failure_codes([4401, 5000]), "failure_codes"),
        (config().failure_codes([1000]), "failure_codes"),
        (
            config().keepalive(Keepalive::default().interval(zero)),
            "interval",
        ),
        (
            config().keepalive(Keepalive::default().timeout(zero)),
            "timeout",
        ),
    ];
    for (config, named) in rows {
        let errors = [
            run(Acceptor::new()
                .config(config.clone())
                .accept(tokio::io::empty())),
            run(Connector::new()
                .config(config.clone())
                .connect_over(tokio::io::empty(), "ws://localhost/")),
            run(Connector::new().config(config).connect("ws://localhost:1/")),
        ];
        for error in errors {
            let error = error.map(drop).unwrap_err();
            assert!(matches!(error, WsErr::InvalidConfig(_)), "{error:?}");
            assert!(error.to_string().contains(named), "{error} for {named}");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    }
}

/// The largest and the smallest valid values work.
#[test]
fn extreme_values_work() {
    let largest = usize::MAX / 2;
    let rows = [
        Config::default()
            .max_send_message_len(largest)
            .max_recv_message_len(largest)
            .close_timeout(Duration::MAX)
            .ping_timeout(Duration::MAX)
            .handshake_timeout(Duration::MAX)
            .message_timeout(Duration::MAX)
            .keepalive(
                Keepalive::default()
                    .interval(Duration::MAX)
                    .timeout(Duration::MAX),
            ),
        Config::default()
            .max_send_message_len(1)
            .max_recv_message_len(1),
    ];
    for config in rows {
        run(async {
            let (mut server, mut client) = pair_with(config.clone(), config).await;
            client.write_all(b"hello").await.unwrap();
            client.flush().await.unwrap();
            let mut read = [0; 5];
            server.read_exact(&mut read).await.unwrap();
            assert_eq!(&read, b"hello");
        });
    }
}

/// The default settings are those of their documentation.
#[test]
fn defaults_are_as_documented() {
    let documented = Config::default()
        .max_send_message_len(64 * 1024)
        .max_recv_message_len(1024 * 1024)
        .max_recv_queue_len(4 * 1024 * 1024)
        .max_send_frame_len(None)
        .text(TextPolicy::Reject)
        .close_timeout(Duration::from_secs(10))
        .ping_timeout(Duration::from_secs(20))
        .handshake_timeout(Duration::from_secs(10))
        .message_timeout(None)
        .keepalive(Keepalive::default())
        .compression(None)
        .lenient_eof(false);
    assert_eq!(Config::default(), documented);
    let keepalive = Keepalive::default();
    let periods = [keepalive.interval, keepalive.timeout];
    assert_eq!(periods, [Duration::from_secs(20); 2]);
    let deflate = Deflate::default();
    assert_eq!((deflate.level, deflate.min_len), (4, 64));
}

/// The ceiling of the memory is the documented formula, and does not overflow.
#[test]
fn memory_ceiling_is_formula() {
    const KIB: usize = 1024;
    let config = Config::default()
        .max_send_message_len(8 * KIB)
        .max_recv_message_len(16 * KIB);
    let bytes = 64 * KIB + 5 * 8 * KIB + 3 * 16 * KIB;
    assert_eq!(config.max_memory(0, 0), bytes);
    assert_eq!(config.max_memory(4 * KIB, 0), bytes + 4 * 4 * KIB);
    assert_eq!(config.max_memory(0, 2), bytes + 2 * (320 + 16) * KIB);
    let largest = Config::default().max_recv_message_len(usize::MAX);
    assert_eq!(largest.max_memory(usize::MAX, usize::MAX), usize::MAX);
    // A window that `connect` and `accept` would refuse.
    let invalid = Deflate::default().send_context(true).send_window_bits(0);
    assert!(Config::default().compression(invalid).max_memory(0, 0) > bytes);
}

/// A `Config` is written to a file with units, and read back equal.
#[test]
fn config_survives_serde() {
    let configs = [
        Config::default(),
        Config::default()
            .keepalive(None)
            .message_timeout(Duration::from_millis(1500)),
        Config::default()
            .max_send_message_len(65_537)
            .max_send_frame_len(1400)
            .text(TextPolicy::Event)
            .close_timeout(Duration::new(3, 1))
            .lenient_eof(true)
            .failure_codes(4401..4404),
    ];
    for config in configs {
        let file = serde_json::to_string(&config).unwrap();
        assert_eq!(
            serde_json::from_str::<Config>(&file).unwrap(),
            config,
            "{file}"
        );
    }
    let file = serde_json::to_value(Config::default().message_timeout(None)).unwrap();
    assert_eq!(file["message_timeout"], "off");
    assert_eq!(file["keepalive"]["interval"], "20s");
    assert_eq!(file["max_send_message_len"], 65536);
}

/// Values in a file have units, missing ones are the defaults, and unknown or wrong ones are
/// refused with an error that names what is expected.
#[test]
fn file_values_have_units() {
    let read = serde_json::from_str::<Config>;
    assert_eq!(read("{}").unwrap(), Config::default());
    let file = r#"{
        "max_recv_message_len": "2 MiB", "close_timeout": "1m 30s", "message_timeout": "250ms",
        "keepalive": {"timeout": "5s"}, "text": "bytes"
    }"#;
    let keepalive = Keepalive::default().timeout(Duration::from_secs(5));
    let expected = Config::default()
        .max_recv_message_len(2 << 20)
        .close_timeout(Duration::from_secs(90))
        .message_timeout(Duration::from_millis(250))
        .keepalive(keepalive)
        .text(TextPolicy::Bytes);
    assert_eq!(read(file).unwrap(), expected);
    let codes = read(r#"{"failure_codes": [4401]}"#).unwrap().failure_codes;
    assert_eq!(codes, [CloseCode::from(4401)]);
    assert_eq!(read(r#"{"keepalive": "off"}"#).unwrap().keepalive, None);
    for (file, expected) in [
        (r#"{"close_timeout": 10}"#, "a duration such as"),
        (r#"{"close_timeout": "10"}"#, "a duration such as"),
        (r#"{"close_timeout": "off"}"#, "a duration such as"),
        (r#"{"max_recv_message_len": -1}"#, "a length such as"),
        (r#"{"max_recv_message_len": "much"}"#, "a length such as"),
        (r#"{"max_recv_message_len": {}}"#, "a length such as"),
        (
            r#"{"keepalive": true}"#,
            "a table with interval and timeout, or \"off\"",
        ),
        (r#"{"keepalive": {"every": "1s"}}"#, "unknown field `every`"),
        (r#"{"close_timout": "1s"}"#, "unknown field `close_timout`"),
        (r#"{"text": "ignore"}"#, "unknown variant `ignore`"),
    ] {
        let error = read(file).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
