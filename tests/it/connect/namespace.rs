//! Names of the operating system's resolver, on a network whose first address is a black hole.
//!
//! The test starts itself in a network namespace of Linux, which needs `unshare` of util-linux and
//! `ip` of iproute2. It is skipped loudly where there is none.

use std::{
    env, fs, io,
    io::Write,
    net::{Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs},
    os::unix::fs::FileTypeExt,
    path::Path,
    process::Command,
    time::Duration,
};

use futures::future::{self, Either};
use support::handshake::exchange_and_close;
use tokio::{net::TcpListener, runtime::Handle};
use ws_framed::{Config, ConnectAttempt, ConnectError, Connector, WsErr};

use super::{RUNTIMES, Runtime, connect, open};

/// The path of the file with the names, which only the process in the namespace has.
const NAMES: &str = "WS_FRAMED_TEST_NAMES";

const NAME_OF_THIS_TEST: &str = "connect::namespace::system_names_on_own_network";

/// Addresses of the machine, and of nothing.
const HOSTS: &str = "\
    127.0.0.1 localhost\n\
    2001:db8::7 dead-first.test\n\
    192.0.2.1 dead-first.test\n\
    2001:db8::7 dead.test\n\
    192.0.2.7 dead.test\n\
    2001:db8::1 only-v6.test\n\
    2001:db8::1 both.test\n\
    192.0.2.1 both.test\n";

/// Users other than root need a namespace of users.
const UNSHARE: &str = "\
    setup=$1 && shift\n\
    [ \"$(id -u)\" = 0 ] || map=--map-root-user\n\
    exec unshare ${map:-} --net --mount sh -c \"$setup\" sh \"$@\"";

/// Nothing receives what is sent to the network. Its own addresses work.
const SETUP: &str = "\
    ip link set lo up &&\
    { ip link add hole type dummy || ip tuntap add dev hole mode tun; } &&\
    ip link set hole up &&\
    ip -4 addr add 192.0.2.1/24 dev hole &&\
    ip -6 addr add 2001:db8::1/64 dev hole nodad &&\
    ip -6 addr add fe80::1/64 dev hole nodad &&\
    mount --bind \"$WS_FRAMED_TEST_NAMES\" /etc/hosts || exit 77\n\
    exec \"$@\"";

/// The exit code of a namespace that cannot be set up.
const NO_SETUP: i32 = 77;

/// Connecting by names of the operating system on such a network. See the functions for each
/// promise.
#[test]
fn system_names_on_own_network() {
    if env::var_os(NAMES).is_some() {
        for runtime in RUNTIMES {
            support::run(async {
                dead_first_address(runtime).await;
                only_dead_addresses(runtime).await;
                only_ipv6(runtime).await;
                one_family_refuses(runtime).await;
                dropped_race_leaves_nothing(runtime).await;
                zone_by_interface_name(runtime).await;
            });
        }
        println!("done in the namespace");
        return;
    }
    if let Err(why) = in_namespace() {
        // Not captured by the test harness.
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: names on a network of their own: {why}"
        );
    }
}

/// Runs this test in a namespace, where it ends by the time limit of its runtimes. The error: there
/// is no namespace.
fn in_namespace() -> Result<(), String> {
    let file = format!("hosts-{}", std::process::id());
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    fs::write(&file, HOSTS).unwrap();
    let output = Command::new("sh")
        .args(["-c", UNSHARE, "sh", SETUP])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", NAME_OF_THIS_TEST])
        .env(NAMES, &file)
        .output();
    fs::remove_file(&file).unwrap();
    let output = output.map_err(|error| error.to_string())?;
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| {
        let text = String::from_utf8_lossy(&text);
        text.trim().to_owned()
    });
    let is_started = stdout.contains("running 1 test");
    if output.status.code() == Some(NO_SETUP) || !is_started {
        return Err(format!("{} {stderr}", output.status));
    }
    assert!(
        stdout.contains("done in the namespace"),
        "{stdout} {stderr}"
    );
    assert!(output.status.success(), "{stdout} {stderr}");
    Ok(())
}

fn first_address(name: &str) -> SocketAddr {
    (name, 80).to_socket_addrs().unwrap().next().unwrap()
}

async fn listen(address: &str) -> (TcpListener, u16) {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn opens(runtime: Runtime, connector: &Connector, name: &str, listener: &TcpListener) {
    let port = listener.local_addr().unwrap().port();
    let url = format!("ws://{name}:{port}/");
    let (server, client) = open(runtime, connector, &url, listener).await;
    exchange_and_close(server, client).await;
}

/// IPv6 does not work, and the name has it first: IPv4 connects, within `handshake_timeout`.
async fn dead_first_address(runtime: Runtime) {
    assert!(first_address("dead-first.test").is_ipv6());
    let (listener, _) = listen("192.0.2.1").await;
    opens(runtime, &Connector::new(), "dead-first.test", &listener).await;
}

/// `handshake_timeout` ends a race that no address wins.
async fn only_dead_addresses(runtime: Runtime) {
    let config = Config::default().handshake_timeout(Duration::from_millis(400));
    let connector = Connector::new().config(config);
    let error = connect(runtime, &connector, "ws://dead.test/").await;
    let error = error.map(drop).unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    let found = connect_error(&error).attempts();
    let first = found.first().map(ConnectAttempt::address);
    assert_eq!(first, Some(first_address("dead.test")));
    for attempt in found {
        assert_eq!(attempt.error().kind(), io::ErrorKind::TimedOut, "{error:?}");
    }
}

fn connect_error(error: &WsErr) -> &ConnectError {
    match error {
        WsErr::Connect(error) => error,
        error => panic!("{error:?}"),
    }
}

/// A name with an IPv6 address only, and one whose IPv4 address has no route.
async fn only_ipv6(runtime: Runtime) {
    let (listener, port) = listen("2001:db8::1").await;
    opens(runtime, &Connector::new(), "only-v6.test", &listener).await;

    let resolving = resolving_to(["198.51.100.1", "2001:db8::1"], port);
    opens(runtime, &resolving, "chat.test", &listener).await;
}

/// Either family refuses, and the other one connects.
async fn one_family_refuses(runtime: Runtime) {
    assert!(first_address("both.test").is_ipv6());
    let (listener, _) = listen("192.0.2.1").await;
    opens(runtime, &Connector::new(), "both.test", &listener).await;

    let (listener, port) = listen("2001:db8::1").await;
    let resolving = resolving_to(["192.0.2.1", "2001:db8::1"], port);
    opens(runtime, &resolving, "chat.test", &listener).await;
}

fn resolving_to(addresses: [&str; 2], port: u16) -> Connector {
    let addresses = addresses.map(|address| SocketAddr::new(address.parse().unwrap(), port));
    Connector::new().resolver(move |_, _| future::ready(Ok(addresses.to_vec())))
}

/// A future that is dropped in the middle of a race leaves no socket and no task.
async fn dropped_race_leaves_nothing(runtime: Runtime) {
    let (sockets, tasks) = (count_sockets(), count_tasks());
    let connector = Connector::new();
    let connecting = Box::pin(connect(runtime, &connector, "ws://dead.test/"));
    let both_are_tried = Box::pin(async {
        while count_sockets() < sockets + 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    match future::select(connecting, both_are_tried).await {
        Either::Left((opened, _)) => panic!("{opened:?}"),
        Either::Right(((), connecting)) => drop(connecting),
    }
    assert_eq!(count_sockets(), sockets);
    assert_eq!(count_tasks(), tasks);
}

/// The zone of an address is the name of an interface.
async fn zone_by_interface_name(runtime: Runtime) {
    // Of the interfaces of the new namespace, whatever /sys shows.
    let interfaces = fs::read_to_string("/proc/net/if_inet6").unwrap();
    let of_hole = interfaces.lines().find(|line| line.ends_with(" hole"));
    let index = of_hole.unwrap().split_ascii_whitespace().nth(1).unwrap();
    let index = u32::from_str_radix(index, 16).unwrap();
    let address: Ipv6Addr = "fe80::1".parse().unwrap();
    let address = SocketAddrV6::new(address, 0, 0, index);
    let listener = TcpListener::bind(address).await.unwrap();
    for name in ["[fe80::1%25hole]", "[fe80::1%hole]"] {
        opens(runtime, &Connector::new(), name, &listener).await;
    }
    let port = listener.local_addr().unwrap().port();
    let url = format!("ws://[fe80::1%25nowhere]:{port}/");
    connect(runtime, &Connector::new(), url).await.unwrap_err();
}

/// The sockets of this process.
fn count_sockets() -> usize {
    let files = fs::read_dir("/proc/self/fd").unwrap();
    files
        .filter_map(|file| fs::metadata(file.ok()?.path()).ok())
        .filter(|target| target.file_type().is_socket())
        .count()
}

fn count_tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}
