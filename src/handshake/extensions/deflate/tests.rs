//! Tables of negotiation: what is offered, answered and agreed on.

use http::{HeaderMap, HeaderValue, header::SEC_WEBSOCKET_EXTENSIONS};

use super::{
    super::{Malformed, parse},
    *,
};

fn headers(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(
            SEC_WEBSOCKET_EXTENSIONS,
            HeaderValue::from_str(line).unwrap(),
        );
    }
    headers
}

/// The answer to the offers in a request.
fn answer_to(
    headers: &HeaderMap,
    deflate: &Deflate,
) -> Result<Option<(String, Compression)>, Malformed> {
    Ok(answer(&parse(headers)?, deflate))
}

fn alone() -> Deflate {
    Deflate::default()
}

fn context() -> Deflate {
    alone().send_context(true).recv_context(true)
}

fn small() -> Deflate {
    context().send_window_bits(10).recv_window_bits(11)
}

fn agreed(send: bool, recv: bool, send_window_bits: u8, recv_window_bits: u8) -> Compression {
    Compression {
        send_context: send,
        recv_context: recv,
        send_window_bits,
        recv_window_bits,
    }
}

/// What a client offers for its settings.
#[test]
fn offers_follow_the_settings() {
    for (settings, expected) in [
        (
            alone(),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             client_max_window_bits",
        ),
        (context(), "permessage-deflate; client_max_window_bits"),
        (
            alone().send_context(true),
            "permessage-deflate; server_no_context_takeover; client_max_window_bits",
        ),
        (
            alone().recv_context(true),
            "permessage-deflate; client_no_context_takeover; client_max_window_bits",
        ),
        (
            small(),
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=10",
        ),
    ] {
        assert_eq!(offer(&settings), expected);
    }
}

/// What a server answers to an offer, and what is agreed on: each parameter, with each setting.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn servers_answer_offers() {
    const BOTH: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    for (offer, settings, expected) in [
        (
            "permessage-deflate",
            alone(),
            Some((BOTH, agreed(false, false, 15, 15))),
        ),
        (
            "permessage-deflate",
            context(),
            Some(("permessage-deflate", agreed(true, true, 15, 15))),
        ),
        (
            "permessage-deflate; server_no_context_takeover",
            context(),
            Some((
                "permessage-deflate; server_no_context_takeover",
                agreed(false, true, 15, 15),
            )),
        ),
        (
            "permessage-deflate; client_no_context_takeover",
            context(),
            Some((
                "permessage-deflate; client_no_context_takeover",
                agreed(true, false, 15, 15),
            )),
        ),
        (
            "permessage-deflate; server_max_window_bits=12",
            context(),
            Some((
                "permessage-deflate; server_max_window_bits=12",
                agreed(true, true, 12, 15),
            )),
        ),
        (
            "permessage-deflate; server_max_window_bits=\"15\"",
            context(),
            Some((
                "permessage-deflate; server_max_window_bits=15",
                agreed(true, true, 15, 15),
            )),
        ),
        (
            "permessage-deflate; server_max_window_bits=12",
            small(),
            Some((
                "permessage-deflate; server_max_window_bits=10",
                agreed(true, true, 10, 15),
            )),
        ),
        (
            "permessage-deflate",
            small(),
            Some((
                "permessage-deflate; server_max_window_bits=10",
                agreed(true, true, 10, 15),
            )),
        ),
        (
            "permessage-deflate; client_max_window_bits",
            context(),
            Some(("permessage-deflate", agreed(true, true, 15, 15))),
        ),
        (
            "permessage-deflate; client_max_window_bits=9",
            context(),
            Some(("permessage-deflate", agreed(true, true, 15, 9))),
        ),
        (
            "permessage-deflate; client_max_window_bits=8",
            context(),
            Some(("permessage-deflate", agreed(true, true, 15, 8))),
        ),
        (
            "permessage-deflate; client_max_window_bits",
            small(),
            Some((
                "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11",
                agreed(true, true, 10, 11),
            )),
        ),
        (
            "permessage-deflate; client_max_window_bits=13",
            small(),
            Some((
                "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11",
                agreed(true, true, 10, 11),
            )),
        ),
        (
            "permessage-deflate; client_max_window_bits=10",
            small(),
            Some((
                "permessage-deflate; server_max_window_bits=10",
                agreed(true, true, 10, 10),
            )),
        ),
        // The compressor has no window of 8.
        (
            "permessage-deflate; server_max_window_bits=8",
            context(),
            None,
        ),
        // Unknown extensions are ignored, names are compared as they are.
        ("x-webkit-deflate-frame", context(), None),
        ("Permessage-Deflate", context(), None),
    ] {
        let answered = answer_to(&headers(&[offer]), &settings).unwrap();
        let answered = answered
            .as_ref()
            .map(|(text, agreed)| (text.as_str(), *agreed));
        assert_eq!(answered, expected, "{offer}");
    }
}

/// An offer with a parameter that is unknown, twice there, or not valid is declined (RFC 7692
/// section 7.1), and so is the extension if there is no other.
#[test]
fn invalid_offers_are_declined() {
    for params in [
        "unknown",
        "unknown=1",
        "server_no_context_takeover=1",
        "client_no_context_takeover=true",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=08",
        "server_max_window_bits=+9",
        "server_max_window_bits=1e1",
        "server_max_window_bits=256",
        "server_max_window_bits=10; server_max_window_bits=10",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "client_max_window_bits=012",
        "client_max_window_bits; client_max_window_bits",
        "client_max_window_bits; client_max_window_bits=10",
        "SERVER_NO_CONTEXT_TAKEOVER",
    ] {
        let offer = format!("permessage-deflate; {params}");
        assert_eq!(
            answer_to(&headers(&[&offer]), &context()),
            Ok(None),
            "{offer}"
        );
        // The next offer counts, in the same line or in another one.
        let both = format!("foo; bar=1, {offer}, permessage-deflate");
        assert!(answer_to(&headers(&[&both]), &context()).unwrap().is_some());
        let answered = answer_to(&headers(&["foo", &offer, "permessage-deflate"]), &context());
        assert!(answered.unwrap().is_some());
    }
}

/// The first offer that can be accepted is.
#[test]
fn first_suitable_offer_is_accepted() {
    let offers = "permessage-deflate; server_max_window_bits=8, \
                  permessage-deflate; server_max_window_bits=9, permessage-deflate";
    let (text, agreed) = answer_to(&headers(&[offers]), &context()).unwrap().unwrap();
    assert_eq!(text, "permessage-deflate; server_max_window_bits=9");
    assert_eq!(agreed.send_window_bits, 9);
}

/// A malformed list is an error, wherever it is.
#[test]
fn malformed_lists_are_errors() {
    let answered = answer_to(&headers(&["permessage-deflate", "a;;"]), &context());
    assert_eq!(answered, Err(Malformed));
}

/// What a client makes of an answer: agreed on, or refused with an error that names it.
#[test]
fn clients_check_answers() {
    for (settings, selected, expected) in [
        (
            context(),
            "permessage-deflate",
            Some(agreed(true, true, 15, 15)),
        ),
        (
            context(),
            "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
            Some(agreed(false, false, 15, 15)),
        ),
        (
            context(),
            "permessage-deflate; server_max_window_bits=8; client_max_window_bits=9",
            Some(agreed(true, true, 9, 8)),
        ),
        (
            alone(),
            "permessage-deflate; server_no_context_takeover",
            Some(agreed(false, false, 15, 15)),
        ),
        (
            small(),
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=10",
            Some(agreed(true, true, 10, 11)),
        ),
        (
            small(),
            "permessage-deflate; server_max_window_bits=9",
            Some(agreed(true, true, 10, 9)),
        ),
        // The server was asked for less.
        (alone(), "permessage-deflate", None),
        (
            alone(),
            "permessage-deflate; client_no_context_takeover",
            None,
        ),
        (small(), "permessage-deflate", None),
        (
            small(),
            "permessage-deflate; server_max_window_bits=12",
            None,
        ),
        // It may not ask for more than was offered, nor for a window of 8.
        (
            small(),
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=11",
            None,
        ),
        (
            context(),
            "permessage-deflate; client_max_window_bits=8",
            None,
        ),
        // A value is optional in an offer only.
        (
            context(),
            "permessage-deflate; client_max_window_bits",
            None,
        ),
        (
            context(),
            "permessage-deflate; server_max_window_bits",
            None,
        ),
        (
            context(),
            "permessage-deflate; server_max_window_bits=16",
            None,
        ),
        (context(), "permessage-deflate; unknown", None),
        (
            context(),
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            None,
        ),
        (context(), "x-unknown; a=1", None),
    ] {
        let extensions = parse(&headers(&[selected])).unwrap();
        match agree(&extensions[0], &settings) {
            Ok(found) => assert_eq!(Some(found), expected, "{selected}"),
            Err(error) => {
                assert_eq!(expected, None, "{selected}: {error}");
                assert!(error.to_string().contains(selected), "{error}");
                assert!(matches!(error, WsErr::Extension(_)));
            }
        }
    }
}

/// Whatever both ends are set to, they agree, each on the same.
#[test]
fn own_ends_agree() {
    let flags = [false, true];
    let mut all = Vec::new();
    for send_context in flags {
        for recv_context in flags {
            for (send_window_bits, recv_window_bits) in [(15, 15), (9, 15), (15, 9), (12, 10)] {
                all.push(Deflate {
                    send_context,
                    recv_context,
                    send_window_bits,
                    recv_window_bits,
                    ..Deflate::default()
                });
            }
        }
    }
    for client in &all {
        for server in &all {
            let (text, ours) = answer_to(&headers(&[&offer(client)]), server)
                .unwrap()
                .unwrap();
            let extensions = parse(&headers(&[&text])).unwrap();
            let theirs = agree(&extensions[0], client).unwrap();
            assert_eq!(ours.send_context, theirs.recv_context, "{text}");
            assert_eq!(ours.recv_context, theirs.send_context, "{text}");
            assert_eq!(ours.send_window_bits, theirs.recv_window_bits, "{text}");
            assert!(ours.recv_window_bits >= theirs.send_window_bits, "{text}");
        }
    }
}
