//! One port for the page and for the chat: `server FOLDER [ADDRESS]` serves the files in the
//! folder, and a client that opens a WebSocket enters the room.

mod files;
mod room;

use std::{io, path::Path};

use tokio::net::{TcpListener, TcpStream};

use crate::room::Room;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "dist".to_owned());
    let address = arguments
        .next()
        .unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("Open http://{} in two tabs.", listener.local_addr()?);

    let room = Room::default();
    loop {
        let (socket, _) = listener.accept().await?;
        let (room, folder) = (room.clone(), folder.clone());
        tokio::spawn(async move {
            if let Err(error) = serve(socket, room, Path::new(&folder)).await {
                eprintln!("{error}");
            }
        });
    }
}

async fn serve(socket: TcpStream, room: Room, folder: &Path) -> Result<(), room::Error> {
    socket.set_nodelay(true)?;
    let request = files::peek(&socket).await?;
    if request
        .to_ascii_lowercase()
        .contains("\r\nupgrade: websocket")
    {
        let stream = ws_framed::accept(socket).await?;
        room.enter(protocol::server_side(stream)).await
    } else {
        Ok(files::serve(socket, &request, folder).await?)
    }
}
