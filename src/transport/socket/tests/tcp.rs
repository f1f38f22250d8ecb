//! Two sockets over TCP of tokio.

use std::{future::poll_fn, net::Ipv4Addr};

use bytes::BytesMut;
use futures::future::join;
use tokio::net::{TcpListener, TcpStream};

use super::{Socket, binary, packed, shared};
use crate::{
    config::Config,
    message::Message,
    protocol::Role,
    transport::{MessageTransport, io::TokioIo},
};

type TcpSocket = Socket<TokioIo<TcpStream>>;

async fn pair() -> (TcpSocket, TcpSocket) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let connecting = TcpStream::connect(listener.local_addr().unwrap());
    let (client, server) = join(connecting, listener.accept()).await;
    let open = |io, role| Socket::new(TokioIo(io), BytesMut::new(), role, &Config::default());
    let (server, _) = server.unwrap();
    (
        open(client.unwrap(), Role::Client),
        open(server, Role::Server),
    )
}

async fn send_all(socket: &mut TcpSocket, messages: Vec<Message>) {
    for message in messages {
        poll_fn(|cx| socket.poll_ready(cx)).await.unwrap();
        socket.start_send(message).unwrap();
    }
    finish(socket).await;
}

async fn finish(socket: &mut TcpSocket) {
    poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
    poll_fn(|cx| socket.poll_close(cx)).await.unwrap();
}

async fn receive_all(socket: &mut TcpSocket) -> Vec<Message> {
    let mut messages = Vec::new();
    while let Some(message) = poll_fn(|cx| socket.poll_next(cx)).await {
        messages.push(message.unwrap());
    }
    messages
}

/// Messages of every kind and length arrive, in both directions.
#[tokio::test]
async fn messages_arrive() {
    let squares = (0..200_u8).map(|at| {
        let payload = vec![at; usize::from(at) * usize::from(at)];
        match at % 3 {
            0 => packed(&payload),
            1 => shared(payload),
            _ => binary(payload),
        }
    });
    let last = [packed(&[9; 1 << 20]), Message::Text("end".to_owned())];
    let messages: Vec<Message> = squares.chain(last).collect();
    let (mut client, mut server) = pair().await;
    let sending = send_all(&mut client, messages.clone());
    let (received, ()) = join(receive_all(&mut server), sending).await;
    assert!(received == messages, "to the server");
    let sending = send_all(&mut server, messages.clone());
    let (received, ()) = join(receive_all(&mut client), sending).await;
    assert!(received == messages, "to the client");
}

/// A server's slices of any length arrive.
#[tokio::test]
async fn slices_arrive() {
    let (mut client, mut server) = pair().await;
    let data: Vec<u8> = (0..64 * 1024).map(|at| (at % 253) as u8).collect();
    let slices = || (1..data.len()).step_by(997).map(|len| &data[..len]);
    let sending = async {
        for slice in slices() {
            let sent = poll_fn(|cx| server.poll_send_slice(cx, slice)).await;
            assert_eq!(sent.unwrap(), slice.len());
        }
        finish(&mut server).await;
    };
    let (received, ()) = join(receive_all(&mut client), sending).await;
    assert!(received.into_iter().eq(slices().map(binary)));
}
