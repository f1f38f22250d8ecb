//! Just enough HTTP to hand out four files.

use std::{io, path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const FILES: [(&str, &str, &str); 4] = [
    ("/", "index.html", "text/html; charset=utf-8"),
    ("/style.css", "style.css", "text/css; charset=utf-8"),
    ("/page.js", "page.js", "text/javascript; charset=utf-8"),
    ("/page_bg.wasm", "page_bg.wasm", "application/wasm"),
];

const MAX_REQUEST_LEN: usize = 16 * 1024;

/// The head of a request. It stays in the socket, for the WebSocket handshake to read.
pub async fn peek(socket: &TcpStream) -> io::Result<String> {
    let mut request = vec![0; MAX_REQUEST_LEN];
    let peek = async {
        loop {
            let len = socket.peek(&mut request).await?;
            let head = String::from_utf8_lossy(&request[..len]);
            if len == 0 || len == MAX_REQUEST_LEN || head.contains("\r\n\r\n") {
                return Ok(head.into_owned());
            }
            // More of it is in flight.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), peek).await?
}

/// Answers one request and hangs up.
pub async fn serve(mut socket: TcpStream, request: &str, folder: &Path) -> io::Result<()> {
    socket.read_exact(&mut vec![0; request.len()]).await?;
    let target = request.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let found = FILES.iter().find(|(url, ..)| *url == path);
    let (status, kind, body) = match found {
        Some((_, file, kind)) => ("200 OK", *kind, tokio::fs::read(folder.join(file)).await?),
        None => (
            "404 Not Found",
            "text/plain",
            b"There is nothing here.\n".to_vec(),
        ),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Cache-Control: no-cache\r\nConnection: close\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(&body).await?;
    socket.shutdown().await
}
