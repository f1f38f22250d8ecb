//! Tokio's runtimes, for tests that are no `async fn`, and its sockets.

use futures::future;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Builder,
};

use crate::timeout;

/// Runs a test on a runtime with one thread. Fails if it is not done after 30 seconds.
pub fn run<F: Future>(test: F) -> F::Output {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(timeout(test))
}

/// [`run`] on a runtime with two threads.
pub fn run_multi_thread<F: Future>(test: F) -> F::Output {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(timeout(test))
}

/// Two ends of a TCP connection: the one that listened, the one that connected.
pub async fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, connected) = future::join(listener.accept(), TcpStream::connect(address)).await;
    let (accepted, connected) = (accepted.unwrap().0, connected.unwrap());
    accepted.set_nodelay(true).unwrap();
    connected.set_nodelay(true).unwrap();
    (accepted, connected)
}
