//! The transport of the connections that this library opens.

use async_tungstenite::{WebSocketStream, tungstenite::protocol::Role};
use bytes::BytesMut;
use futures::io::{AsyncRead, AsyncWrite};

use super::{
    meter::Meter,
    tungstenite::{Metered, engine_config},
};
use crate::config::Config;

/// A transport over an opened byte stream. `leftover` was received behind the handshake.
pub(crate) async fn open<S>(
    io: S,
    leftover: BytesMut,
    is_client: bool,
    config: &Config,
) -> Metered<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let role = if is_client {
        Role::Client
    } else {
        Role::Server
    };
    let io = Meter::new(io, config.max_recv_message_len, &leftover);
    let config = Some(engine_config(config));
    Metered::new(WebSocketStream::from_partially_read(io, leftover.to_vec(), role, config).await)
}
