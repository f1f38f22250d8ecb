//! What is logged of a connection that hyper hands over.

use futures::future;
use support::{Fields, RecordingSubscriber, run, tcp};
use tracing::Level;
use ws_framed::{Acceptor, Connector};

#[test]
fn a_connection_that_hyper_hands_over_is_told_with_its_request() {
    use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};

    let (ear, _listening) = RecordingSubscriber::install(Level::TRACE);
    run(async {
        let acceptor = Acceptor::new().allow_path("/chat");
        for path in ["/chat?token", "/other"] {
            let (accepted, connected) = tcp().await;
            let opening = std::cell::Cell::new(None);
            let service = service_fn(|mut request: Request<Incoming>| {
                let (answer, opens) = ws_framed::hyper::upgrade(&acceptor, &mut request);
                opening.set(Some(opens));
                future::ready(Ok::<_, std::convert::Infallible>(answer))
            });
            let io = hyper_util::rt::TokioIo::new(accepted);
            let http = http1::Builder::new().serve_connection(io, service);
            let connector = Connector::new();
            let client = connector.connect_over(connected, format!("ws://localhost{path}"));
            // A client that is refused hangs up.
            let client = async { client.await.is_ok() };
            let (_, is_open) = future::join(http.with_upgrades(), client).await;
            assert_eq!(opening.take().unwrap().await.is_ok(), is_open);
        }
    });
    let heard = ear.recorded();
    let is_server = |span: &&Fields| span["role"] == "server";
    let paths: Vec<_> = heard.spans.iter().filter(is_server).collect();
    let paths: Vec<_> = paths.iter().map(|span| span["path"].as_str()).collect();
    assert_eq!(paths, ["/chat", "/other"]);
    let first = heard.span_of("server");
    assert_eq!(
        heard.messages_in(first),
        ["the handshake is done", "the connection was dropped"]
    );
    let refused = heard.events.iter().find(|told| told.level == Level::INFO);
    assert_eq!(refused.unwrap().fields["status"], "404");
}
