//! Real proxies: nginx, HAProxy and Caddy in front of a server, also with HTTP/2; Squid, tinyproxy,
//! microsocks and Dante in front of a client. The configuration of the first three is that of the
//! guide.
//!
//! A test installs a missing program by `apt-get`, if it runs as root on a system that has it.
//! Otherwise it prints that it is skipped: install the packages of these names, and `dante-server`.

mod forward;
mod http2;
mod reverse;

use std::{
    fs, io,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use support::timeout_after;
use tokio::net::{TcpListener, TcpStream};
use ws_framed::{Acceptor, WsStream};

use crate::servers::echo_and_close;

/// Longer than all packages take to be installed.
const TIMEOUT: Duration = Duration::from_secs(600);

/// How often a program is started on another port, because the one before was taken meanwhile.
const ATTEMPTS: usize = 3;

/// Runs a test, which may say why it is skipped.
fn test(what: &str, test: impl Future<Output = Result<(), String>>) {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    if let Err(why) = runtime.block_on(timeout_after(TIMEOUT, test)) {
        // Not captured by the test harness.
        let _ = writeln!(io::stderr(), "SKIPPED: {what}: {why}");
    }
}

/// The path of a program, which is installed if it is missing.
fn program(name: &str) -> Result<PathBuf, String> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let find = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
        let mut programs = folders.map(|folder| folder.join(name));
        programs.find(|program| program.is_file())
    };
    let _guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = find() {
        return Ok(found);
    }
    let id = Command::new("id").arg("-u").output();
    if id.is_ok_and(|id| id.stdout == b"0\n") {
        let package = match name {
            "danted" => "dante-server",
            name => name,
        };
        let _ = Command::new("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends", package])
            // The service is not started.
            .envs([("DEBIAN_FRONTEND", "noninteractive"), ("RUNLEVEL", "1")])
            .output();
    }
    find().ok_or_else(|| format!("{name} is not installed"))
}

/// A program that listens, until it is dropped.
struct Proxy {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Proxy {
    /// Starts a program that listens on a port of 127.0.0.1. The files of `configure` are in its
    /// working directory.
    async fn start(
        name: &str,
        args: &[&str],
        configure: impl Fn(SocketAddr) -> Vec<(&'static str, String)>,
    ) -> Result<Self, String> {
        let program = program(name)?;
        let mut failures = Vec::new();
        for _ in 0..ATTEMPTS {
            match Self::try_start(name, &program, args, &configure).await? {
                Ok(proxy) => return Ok(proxy),
                Err(failure) => failures.push(failure),
            }
        }
        panic!("{name} ended: {failures:?}");
    }

    /// The inner error: the program has ended.
    async fn try_start(
        name: &str,
        program: &Path,
        args: &[&str],
        configure: impl Fn(SocketAddr) -> Vec<(&'static str, String)>,
    ) -> Result<Result<Self, String>, String> {
        // The port is free now, and soon taken again.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let folder = format!("proxy-{name}-{}", address.port());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
        fs::create_dir_all(&folder).unwrap();
        for (file, text) in configure(address) {
            fs::write(folder.join(file), text).unwrap();
        }
        drop(listener);
        let port = address.port().to_string();
        let child = Command::new(program)
            .args(args.iter().map(|arg| arg.replace("PORT", &port)))
            .current_dir(&folder)
            .env("HOME", &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("stderr")).unwrap())
            .spawn();
        let child = child.map_err(|error| error.to_string())?;
        let mut proxy = Self {
            child,
            address,
            folder,
        };
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = proxy.child.try_wait().unwrap() {
                let stderr = fs::read_to_string(proxy.folder.join("stderr")).unwrap();
                return Ok(Err(format!("{status}: {stderr}")));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(Ok(proxy))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A server behind the proxies, which echoes bytes on each connection.
async fn echo_server<T: Send + 'static>(
    acceptor: Acceptor<T>,
    stream: impl Fn(T) -> WsStream + Copy + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let socket = listener.accept().await.unwrap().0;
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(accepted) = acceptor.accept(socket).await {
                    echo(stream(accepted)).await;
                }
            });
        }
    });
    address
}

async fn echo(stream: WsStream) {
    let (reader, mut writer) = futures::AsyncReadExt::split(stream);
    let _ = futures::io::copy(reader, &mut writer).await;
}

/// Exchanges a few bytes, then many in both directions at once, and closes.
async fn exchange(mut stream: WsStream) {
    use futures::{AsyncReadExt, AsyncWriteExt};

    let mut got = [0; 5];
    for word in [b"hello", b"again"] {
        stream.write_all(word).await.unwrap();
        stream.flush().await.unwrap();
        // No buffer keeps it.
        stream.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, word);
    }
    echo_and_close(stream).await;
}
