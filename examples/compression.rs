//! What compression saves and costs: the same JSON values over connections with different settings.
//!
//! `cargo run --release --example compression --features json,deflate`

use std::{error::Error, time::Instant};

use futures::{SinkExt, TryStreamExt, future::try_join};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use ws_framed::{
    Acceptor, Config, Connector, Deflate, Json, MessageTransport, WsStream, codecs::CodecError,
};

const VALUES: u32 = 1_000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u32,
    customer: String,
    products: Vec<String>,
    price_in_cents: u32,
    is_paid: bool,
}

fn order(id: u32) -> Order {
    let name = |n: u32| format!("product {}", n.wrapping_mul(2_654_435_761) % 10_000);
    Order {
        id,
        customer: format!("customer {}", id.wrapping_mul(40_503) % 5_000),
        products: (0..4).map(|n| name(id * 4 + n)).collect(),
        price_in_cents: id.wrapping_mul(48_271) % 100_000,
        is_paid: id % 3 != 0,
    }
}

async fn connection(config: Config) -> Result<(WsStream, WsStream), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let socket = TcpStream::connect(listener.local_addr()?).await?;
    let acceptor = Acceptor::new().config(config.clone());
    let connector = Connector::new().config(config);
    let accepted = listener.accept().await?.0;
    let client = connector.connect_over(socket, "ws://localhost/");
    Ok(try_join(acceptor.accept(accepted), client).await?)
}

/// Sends all values, and returns how many bytes went over the wire.
async fn send(config: Config, is_packed: bool) -> Result<u64, Box<dyn Error>> {
    let (server, client) = connection(config).await?;
    let codec = Json::<Order>::new(10_000);
    let (mut server, mut client) = if is_packed {
        (server.framed(codec.clone()), client.framed(codec))
    } else {
        (server.per_message(codec.clone()), client.per_message(codec))
    };
    let sending = async {
        for id in 0..VALUES {
            server.feed(order(id)).await?;
        }
        server.flush().await?;
        Ok::<_, CodecError>(())
    };
    let receiving = async {
        for id in 0..VALUES {
            assert_eq!(client.try_next().await?, Some(order(id)));
        }
        Ok(())
    };
    try_join(sending, receiving).await?;
    let transport = server.into_stream().into_transport().0;
    Ok(transport.progress().sent.unwrap_or(0))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let alone = Deflate::default();
    let with_context = alone.send_context(true).recv_context(true);
    println!("bytes for {VALUES} values:");
    for (name, compression) in [
        ("not compressed", None),
        ("without context", Some(alone)),
        ("with context", Some(with_context)),
        (
            "with context, window of 4 KiB",
            Some(with_context.send_window_bits(12)),
        ),
    ] {
        let config = Config::default().compression(compression);
        let packed = send(config.clone(), true).await?;
        let single = send(config, false).await?;
        println!("{name:30} packed {packed:7}, a message for each {single:7}");
    }
    println!("bytes and time for 100 times as many, packed:");
    for (name, compression) in [
        ("not compressed", None),
        ("level 1", Some(alone.level(1))),
        ("level 4, the default", Some(alone)),
        ("level 6", Some(alone.level(6))),
        ("level 9", Some(alone.level(9))),
    ] {
        let start = Instant::now();
        let mut bytes = 0;
        for _ in 0..100 {
            bytes += send(Config::default().compression(compression), true).await?;
        }
        println!("{name:30} {bytes:9} {:6} ms", start.elapsed().as_millis());
    }
    Ok(())
}
