//! permessage-deflate (RFC 7692): what is agreed on, what is on the wire, and what broken input does.

mod agreement;
mod encoded;
mod hostile;
mod messages;

use async_tungstenite::tokio::TokioAdapter;
use support::{
    RawPeer, Role, config_without_keepalive,
    handshake::{self, REQUEST, read_head, response_with},
    tcp,
};
use tokio::io::AsyncWriteExt;
use ws_framed::{Config, Deflate, WsStream};

/// Each message is compressed alone, whatever its length.
fn alone() -> Deflate {
    Deflate::default().min_len(0)
}

fn with_context() -> Deflate {
    alone().send_context(true).recv_context(true)
}

fn config(deflate: Deflate) -> Config {
    config_without_keepalive().compression(deflate)
}

/// Our end in this role, and a scripted peer that agrees to `params`. Returns what our end sent in
/// the handshake, too.
async fn open(role: Role, config: Config, params: &str) -> (WsStream, RawPeer, String) {
    let (ours, mut theirs) = tcp().await;
    let line = format!("Sec-WebSocket-Extensions: permessage-deflate{params}\r\n");
    let script = async {
        let head = match role {
            Role::Server => {
                let request = REQUEST.replace("\r\n\r\n", &format!("\r\n{line}\r\n"));
                theirs.write_all(request.as_bytes()).await.unwrap();
                read_head(&mut theirs).await
            }
            Role::Client => {
                let request = read_head(&mut theirs).await;
                let response = response_with(request.as_bytes(), &line);
                theirs.write_all(&response).await.unwrap();
                request
            }
        };
        (theirs, head)
    };
    let ours = handshake::open(role, config, ours);
    let (ours, (theirs, head)) = futures::future::join(ours, script).await;
    let peer = RawPeer::new(TokioAdapter::new(theirs), role.other());
    (ours.unwrap(), peer, head)
}
