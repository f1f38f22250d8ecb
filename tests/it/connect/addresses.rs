//! The addresses of a name, raced as in RFC 8305; a resolver and local addresses of the caller.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use socket2::{Domain, Socket, Type};
use support::handshake::exchange_and_close;
use tokio::net::TcpListener;
use ws_framed::{Config, ConnectError, Connector, WsErr};

use super::{connect, on_runtimes, open};

/// An address of which connections are refused.
async fn refused() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// A listener whose queue of connections is full, so that it answers no others.
struct BlackHole {
    address: SocketAddr,
    _listener: Socket,
    _queued: Vec<Socket>,
}

impl BlackHole {
    fn new() -> Self {
        let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let listener = socket();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let queued = std::iter::repeat_with(|| {
            let queued = socket();
            queued.set_nonblocking(true).unwrap();
            // It is in progress, or fails if the system answers that the queue is full.
            let _ = queued.connect(&address);
            queued
        });
        let queued = queued.take(16).collect();
        Self {
            address: address.as_socket().unwrap(),
            _listener: listener,
            _queued: queued,
        }
    }
}

/// A connector for which every name has these addresses.
fn resolving_to(addresses: Vec<SocketAddr>) -> Connector {
    Connector::new().resolver(move |_, _| {
        let addresses = addresses.clone();
        async { Ok(addresses) }
    })
}

fn connect_error(error: &WsErr) -> &ConnectError {
    match error {
        WsErr::Connect(error) => error,
        error => panic!("{error:?}"),
    }
}

/// The next address is used if the first refuses, is unreachable, or does not answer.
#[test]
fn dead_first_address() {
    on_runtimes(async |runtime| {
        let black_hole = BlackHole::new();
        let closed = refused().await;
        let closed_v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, closed.port()));
        for dead in [closed, closed_v6, black_hole.address] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let connector = resolving_to(vec![dead, listener.local_addr().unwrap()]);
            let (server, client) = open(runtime, &connector, "ws://chat.example/", &listener).await;
            exchange_and_close(server, client).await;
        }
    });
}

/// The error lists each address with its error, and its kind is that of the last.
#[test]
fn all_addresses_refuse() {
    on_runtimes(async |runtime| {
        let addresses = [refused().await, refused().await];
        let connector = resolving_to(addresses.to_vec());
        let error = connect(runtime, &connector, "ws://chat.example:81/").await;
        let error = error.map(drop).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let found = connect_error(&error);
        assert_eq!((found.host(), found.port()), ("chat.example", 81));
        assert!(!found.is_proxy() && found.lookup_error().is_none());
        let attempts = found.attempts().iter();
        let attempts: Vec<_> = attempts
            .map(|attempt| (attempt.address(), attempt.error().kind()))
            .collect();
        assert_eq!(
            attempts,
            addresses.map(|address| (address, io::ErrorKind::ConnectionRefused))
        );
        let text = error.to_string();
        assert!(
            text.starts_with("cannot connect to chat.example:81: "),
            "{text}"
        );
        for address in addresses {
            assert!(text.contains(&format!("{address}: ")), "{text}");
        }
    });
}

/// After `handshake_timeout`, the error lists the addresses that were tried until then.
#[test]
fn black_holes_time_out() {
    on_runtimes(async |runtime| {
        let (black_hole, closed) = (BlackHole::new(), refused().await);
        let config = Config::default().handshake_timeout(Duration::from_millis(100));
        let addresses = vec![closed, black_hole.address, closed];
        let connector = resolving_to(addresses).config(config);
        let error = connect(runtime, &connector, "ws://chat.example/").await;
        let error = error.map(drop).unwrap_err();
        assert!(error.is_timeout());
        let attempts = connect_error(&error).attempts().iter();
        let kinds: Vec<_> = attempts.map(|attempt| attempt.error().kind()).collect();
        let expected = [io::ErrorKind::ConnectionRefused, io::ErrorKind::TimedOut];
        assert_eq!(kinds, expected);
    });
}

/// A resolver that fails, or finds nothing, is an error without attempts.
#[test]
fn failed_lookup() {
    on_runtimes(async |runtime| {
        let failing = async |name: String, _| Err(io::Error::other(format!("no {name} here")));
        let connector = Connector::new().resolver(failing);
        let error = connect(runtime, &connector, "ws://chat.example/").await;
        let error = error.map(drop).unwrap_err();
        let found = connect_error(&error);
        assert_eq!(
            found.lookup_error().unwrap().to_string(),
            "no chat.example here"
        );
        assert!(found.attempts().is_empty());

        let error = connect(runtime, &resolving_to(vec![]), "ws://chat.example/").await;
        let error = error.map(drop).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(connect_error(&error).lookup_error().is_none());
    });
}

/// A resolver that never answers is `TimedOut`.
#[test]
fn silent_resolver_times_out() {
    on_runtimes(async |runtime| {
        let config = Config::default().handshake_timeout(Duration::from_millis(50));
        let silent = async |_, _| std::future::pending().await;
        let connector = Connector::new().config(config).resolver(silent);
        let error = connect(runtime, &connector, "ws://chat.example/").await;
        let error = error.map(drop).unwrap_err();
        assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
    });
}

/// An IP address in a URL does not ask the resolver.
#[test]
fn addresses_are_not_resolved() {
    on_runtimes(async |runtime| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let (server, client) = open(runtime, &resolving_to(vec![]), &url, &listener).await;
        exchange_and_close(server, client).await;
    });
}

/// A client connects from its local address. Of the other family, there is no connection.
#[test]
fn local_address_is_used() {
    // Other systems have one loopback address.
    let local = if cfg!(target_os = "linux") {
        Ipv4Addr::new(127, 0, 0, 2)
    } else {
        Ipv4Addr::LOCALHOST
    };
    on_runtimes(async |runtime| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()));
        let connector = resolving_to(vec![v6, address]).local_address(local);
        let connecting = connect(runtime, &connector, "ws://chat.example/");
        let accept = async {
            let (socket, peer) = listener.accept().await.unwrap();
            (ws_framed::accept(socket).await.unwrap(), peer)
        };
        let (client, (server, peer)) = futures::future::join(connecting, accept).await;
        assert_eq!(peer.ip(), IpAddr::V4(local));
        exchange_and_close(server, client.unwrap()).await;

        let connector = resolving_to(vec![v6]).local_address(local);
        let error = connect(runtime, &connector, "ws://chat.example/").await;
        let error = error.map(drop).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);

        let connector = resolving_to(vec![refused().await]).local_address(local);
        let error = connect(runtime, &connector, "ws://chat.example/").await;
        let error = error.map(drop).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    });
}

/// A connection that is dropped while it is opened leaves no socket.
#[test]
fn dropped_race_closes_sockets() {
    on_runtimes(async |runtime| {
        let black_hole = BlackHole::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = listener.local_addr().unwrap();
        let connector = resolving_to(vec![black_hole.address, silent]);
        let mut connecting = Box::pin(connect(runtime, &connector, "ws://chat.example/"));
        let accepted = futures::future::select(&mut connecting, Box::pin(listener.accept())).await;
        let futures::future::Either::Right((accepted, _)) = accepted else {
            panic!("it waits for the response")
        };
        drop(connecting);
        let mut request = Vec::new();
        let mut socket: TcpStream = accepted.unwrap().0.into_std().unwrap();
        socket.set_nonblocking(false).unwrap();
        io::Read::read_to_end(&mut socket, &mut request).unwrap();
    });
}
