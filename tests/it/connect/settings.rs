//! Settings about the way to a server, over a stream that is open.

use std::net::Ipv4Addr;

use tokio_util::compat::TokioAsyncReadCompatExt;
use ws_framed::{Connector, Setting, WsErr};

/// A setting that has no effect is an error, before anything is sent.
#[test]
fn settings_without_effect() {
    support::run(async {
        let new = Connector::new;
        for (connector, setting) in [
            (new().proxy("http://proxy"), Setting::ConnectorProxy),
            (new().proxy_from_env(), Setting::ConnectorProxy),
            (
                new().resolver(async |_, _| Ok(vec![])),
                Setting::ConnectorResolver,
            ),
            (
                new().local_address(Ipv4Addr::LOCALHOST),
                Setting::ConnectorLocalAddress,
            ),
            (new().follow_redirects(1), Setting::ConnectorRedirects),
        ] {
            let expected = WsErr::InvalidConfig(setting);
            let (client, mut server) = tokio::io::duplex(4096);
            let opening = connector.connect_over(client, "ws://chat.example/");
            assert_eq!(opening.await.map(drop).unwrap_err(), expected);
            let mut sent = Vec::new();
            let reading = tokio::io::AsyncReadExt::read_to_end(&mut server, &mut sent);
            assert_eq!(reading.await.unwrap(), 0);

            let (client, _server) = tokio::io::duplex(4096);
            let opening = connector.connect_over_futures_io(client.compat(), "ws://chat.example/");
            assert_eq!(opening.await.map(drop).unwrap_err(), expected);
        }
    });
}
