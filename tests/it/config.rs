//! Settings: invalid, extreme and default values.

use std::{io::ErrorKind, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};
use support::{pair_with, run};
use ws_framed::{Acceptor, Config, Connector, Keepalive, TextPolicy, WsErr};

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
        (config().max_recv_message_len(0), "max_recv_message_len"),
        (
            config().max_recv_message_len(usize::MAX),
            "max_recv_message_len",
        ),
        (config().close_timeout(zero), "close_timeout"),
        (config().ping_timeout(zero), "ping_timeout"),
        (config().handshake_timeout(zero), "handshake_timeout"),
        (config().message_timeout(zero), "message_timeout"),
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
        .text(TextPolicy::Reject)
        .close_timeout(Duration::from_secs(10))
        .ping_timeout(Duration::from_secs(20))
        .lenient_eof(false);
    assert_eq!(Config::default(), documented);
}
