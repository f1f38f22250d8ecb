//! The answer to a close is out before the end is told, whatever lies below the engine.

use async_tungstenite::tokio::TokioAdapter;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, future};
use support::{Frame, RawPeer, Role, config_without_keepalive, run};
use tokio::io::{BufStream, duplex};
use ws_framed::{Acceptor, Connector};

#[test]
fn an_answer_that_a_buffered_stream_still_holds_is_not_out() {
    for role in [Role::Server, Role::Client] {
        run(async {
            let (ours, theirs) = duplex(1024);
            let ours = BufStream::new(ours);
            let peer = RawPeer::handshake(TokioAdapter::new(theirs), role.other());
            let acceptor = Acceptor::new().config(config_without_keepalive());
            let connector = Connector::new().config(config_without_keepalive());
            let opening = async {
                match role {
                    Role::Server => acceptor.accept(ours).await,
                    Role::Client => connector.connect_over(ours, "ws://localhost/").await,
                }
            };
            let (ours, mut peer) = future::join(opening, peer).await;
            let mut ours = ours.unwrap();
            // All but a byte of the pipe is full.
            let header = if role == Role::Client { 8 } else { 4 };
            ours.write_all(&vec![1; 1023 - header]).await.unwrap();
            ours.flush().await.unwrap();
            peer.send(&Frame::close(1000, "")).await;
            assert!(ours.read(&mut [0]).now_or_never().is_none(), "{role:?}");
            let hear = async {
                assert_eq!(peer.next().await.unwrap().opcode, 2);
                peer.next().await
            };
            let mut nothing = [0];
            let (end, heard) = future::join(ours.read(&mut nothing), hear).await;
            assert_eq!(end.unwrap(), 0);
            drop(ours);
            assert_eq!(heard, Some(Frame::close(1000, "")));
        });
    }
}
