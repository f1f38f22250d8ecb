//! What a handshake without end costs.

use std::time::Duration;

use futures::future;
use support::{
    ROLES, Role,
    alloc::{Meter, exclusive},
    flood::small_tcp,
    handshake::open,
    run,
};
use tokio::io::AsyncWriteExt;
use ws_framed::{Config, WsErr};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";

fn opening(role: Role) -> &'static [u8] {
    match role {
        Role::Server => REQUEST,
        Role::Client => ANSWER,
    }
}

/// Headers without end cost little memory, in both roles.
#[test]
fn endless_headers_are_refused_in_little_memory() {
    let _alone = exclusive();
    for role in ROLES {
        run(async {
            let (ours, mut peer) = small_tcp().await;
            let meter = Meter::start();
            let flood = async {
                peer.write_all(opening(role)).await.unwrap();
                for _ in 0..100_000 {
                    if peer
                        .write_all(b"X-Header: and so on, and so on, for ever and ever\r\n")
                        .await
                        .is_err()
                    {
                        break;
                    }
                }
            };
            let config = Config::default().handshake_timeout(Duration::from_secs(1));
            let (opened, ()) = future::join(open(role, config, ours), flood).await;
            let error = opened.map(drop).unwrap_err();
            match role {
                Role::Server => assert!(matches!(error, WsErr::Refused { status: 431, .. })),
                Role::Client => assert!(matches!(error, WsErr::Handshake(_)), "{error:?}"),
            }
            let cost = meter.cost();
            assert!(cost.peak < 256 * 1024, "{cost:?}");
        });
    }
}
