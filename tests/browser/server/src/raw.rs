//! What a server of the library does not do: text, close frames of any kind, violations, no reads.

use async_tungstenite::{
    WebSocketStream,
    tokio::{TokioAdapter, accept_async},
    tungstenite::{
        Error, Message,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use futures::StreamExt;
use protocol::{Ending, LAST_WORDS, TEXT};
use tokio::{io::AsyncWriteExt, net::TcpStream};

type Socket = WebSocketStream<TokioAdapter<TcpStream>>;

/// Closes with this code; 0 stands for none.
pub async fn close(socket: TcpStream, code: u16) -> Result<(), Error> {
    let mut socket = accept_async(socket).await?;
    let frame = (code != 0).then(|| CloseFrame {
        code: CloseCode::from(code),
        reason: "because".into(),
    });
    socket.send(Message::binary(LAST_WORDS)).await?;
    socket.send(Message::Close(frame)).await?;
    client_close(&mut socket).await;
    Ok(())
}

/// Sends text between two binary messages, and waits for the client's close.
pub async fn text(socket: TcpStream) -> Result<Ending, Error> {
    let mut socket = accept_async(socket).await?;
    for message in [
        Message::binary("<"),
        Message::text(TEXT),
        Message::binary(">"),
    ] {
        socket.send(message).await?;
    }
    let clean = client_close(&mut socket).await;
    Ok(Ending { received: 0, clean })
}

/// Opens, and then reads nothing, so that a close is never answered.
pub async fn never_reads(socket: TcpStream) -> Result<(), Error> {
    let socket = accept_async(socket).await?;
    tokio::time::sleep(std::time::Duration::from_secs(20)).await;
    drop(socket);
    Ok(())
}

/// Sends a WebSocket frame with a reserved bit.
pub async fn breaks_the_protocol(socket: TcpStream) -> Result<(), Error> {
    let mut socket = accept_async(socket).await?;
    socket.send(Message::binary(LAST_WORDS)).await?;
    let tcp = socket.get_mut().get_mut();
    tcp.write_all(&[0b1100_0010, 1, b'x']).await?;
    client_close(&mut socket).await;
    Ok(())
}

async fn client_close(socket: &mut Socket) -> Option<(u16, String)> {
    let mut close = None;
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(frame) = message {
            close = frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
        }
    }
    close
}
