//! What the Autobahn test suite talks to. See README.md for how to run it.
//!
//! ```text
//! autobahn serve VIEW [ADDRESS]     echoes; prints its URL first
//! autobahn client VIEW URL          runs all cases of the suite's server
//! autobahn compare VIEW MESSAGES REPORTS
//! ```
//! VIEW is `messages` (the transport below the views), `alone` (the same, compressing each message
//! without context), `bytes` or `reject` (the byte view with that text policy). `compare` holds the
//! reports on a byte view against those on `messages`.

mod compare;
mod echo;

use std::{env, error::Error, io::Write};

use tokio::net::{TcpListener, TcpStream};
use ws_framed::Connector;

use echo::View;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["serve", view] => serve(view.parse()?, "127.0.0.1:0").await,
        ["serve", view, address] => serve(view.parse()?, address).await,
        ["client", view, url] => run_cases(view.parse()?, url).await,
        ["compare", view, messages, reports] => compare::compare(view.parse()?, messages, reports),
        _ => Err("see the top of src/main.rs for how to call it".into()),
    }
}

async fn serve(view: View, address: &str) -> Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("ws://{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        tokio::spawn(async move {
            // Most cases break the connection on purpose: how is in the reports.
            let _ = echo::serve(view, socket).await;
        });
    }
}

/// The suite's server tells how many cases there are, runs one a connection, and writes its reports
/// when it is asked to.
async fn run_cases(view: View, url: &str) -> Result<()> {
    let count = echo::one_text(open(url).await?, &format!("{url}/getCaseCount")).await?;
    for case in 1..=count.parse()? {
        let url = format!("{url}/runCase?case={case}&agent=ws-framed");
        let _ = echo::client(view, open(&url).await?, &url).await;
    }
    let done = format!("{url}/updateReports?agent=ws-framed");
    let mut stream = Connector::new().connect(done).await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(())
}

async fn open(url: &str) -> Result<TcpStream> {
    let address = url.trim_start_matches("ws://");
    let address = address.split('/').next().unwrap_or_default();
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}
