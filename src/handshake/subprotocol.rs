//! Selecting a subprotocol, and describing why none can be selected.

use http::{Request, header::SEC_WEBSOCKET_PROTOCOL};

use super::{contract::Contract, headers::list, options::HandshakeOptions, rejection::Rejection};

/// The subprotocols that a request offers, the preferred one first: the list in
/// `Sec-WebSocket-Protocol` (RFC 6455 section 11.3.4), over all of its lines. Those that are not
/// UTF-8 are left out.
///
/// A page cannot set headers. One way to authenticate it is a subprotocol that carries a token:
/// [`Acceptor::on_request`](crate::Acceptor::on_request) finds it here. A subprotocol that the
/// server does not support is ignored beside one that it supports.
pub fn offered_subprotocols<B>(request: &Request<B>) -> impl Iterator<Item = &str> {
    let offers = list(request.headers(), SEC_WEBSOCKET_PROTOCOL);
    offers.filter_map(|name| std::str::from_utf8(name).ok())
}

/// The preferred one of the subprotocols that a client offers. A client that offers none is
/// accepted, unless the server has contracts, which are required.
pub(super) fn select(
    options: &HandshakeOptions,
    request: &Request<()>,
) -> Result<Option<String>, Rejection> {
    let (supported, contracts) = (options.subprotocols(), &options.contracts);
    let offers = || offered_subprotocols(request);
    // One pass over the offers, since a client may offer as many as a request has room for.
    let rank = |offer: &str| supported.iter().position(|name| name == offer);
    let selected = offers().filter_map(rank).min();
    let selected = selected.and_then(|rank| supported.get(rank));
    if selected.is_none() && !contracts.is_empty() {
        let why = describe_mismatch(contracts, offers()).unwrap_or_else(|| {
            let supported = supported.join(" or ");
            format!("client offers no contract, server supports {supported}")
        });
        return Err(Rejection::new(400, why));
    }
    if selected.is_none() && !supported.is_empty() && offers().next().is_some() {
        let why = "server supports none of the offered subprotocols";
        return Err(Rejection::new(400, why));
    }
    Ok(selected.cloned())
}

/// What differs between the offered and the supported contract that are the most similar. `None` if
/// no contract is offered.
fn describe_mismatch<'a>(
    supported: &[Contract],
    offers: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let offers = offers.filter_map(|offer| offer.parse::<Contract>().ok());
    // Of several that are equally similar, the first one, which is preferred.
    let pairs = offers.filter_map(|offered| {
        let ranked = |own: &&Contract| mismatch_rank(own, &offered);
        let closest = supported.iter().min_by_key(ranked);
        closest.map(|own| (own, offered))
    });
    let (own, offered) = pairs.min_by_key(|(own, offered)| mismatch_rank(own, offered))?;
    let mut why = describe(own, &offered);
    if supported.len() > 1 {
        let all: Vec<_> = supported.iter().map(Contract::to_string).collect();
        why = format!("{why} (server supports {})", all.join(", "));
    }
    Some(why)
}

/// What differs, the most important first: contracts with the same codec are more similar than
/// those with the same version.
fn mismatch_rank(own: &Contract, offered: &Contract) -> [bool; 5] {
    [
        own.name() != offered.name(),
        own.codec() != offered.codec(),
        own.version() != offered.version(),
        own.max_frame_len() != offered.max_frame_len(),
        own.is_per_message() != offered.is_per_message(),
    ]
}

fn describe(own: &Contract, offered: &Contract) -> String {
    let name = own.name();
    if name != offered.name() {
        // Other differences do not matter then.
        return format!("client offers {}, server supports {name}", offered.name());
    }
    let terms = |contract: &Contract| {
        let framing = if contract.is_per_message() {
            "per message"
        } else {
            "packed"
        };
        [
            ("version", contract.version().to_string()),
            ("codec", contract.codec().to_owned()),
            ("limit", contract.max_frame_len().to_string()),
            ("framing", framing.to_owned()),
        ]
    };
    let both = terms(offered).into_iter().zip(terms(own));
    let differences: Vec<_> = both
        .filter(|(offered, own)| offered != own)
        .map(|((term, offered), (_, own))| {
            format!("client offers {term} {offered}, server supports {term} {own}")
        })
        .collect();
    format!("{name}: {}", differences.join("; "))
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    /// What is chosen, or why nothing is. `spoken` are contracts and other subprotocols, `offered`
    /// is a header each.
    fn chosen(spoken: &[&str], offered: &[&str]) -> Result<Option<String>, String> {
        let mut options = HandshakeOptions::default();
        for name in spoken {
            match name.parse() {
                Ok(contract) => options.add_contract(contract),
                Err(_) => options.add_subprotocol(*name),
            }
        }
        let mut request = Request::new(());
        for list in offered {
            let list = HeaderValue::from_bytes(list.as_bytes()).unwrap();
            let headers = request.headers_mut();
            headers.append(header::SEC_WEBSOCKET_PROTOCOL, list);
        }
        select(&options, &request).map_err(|refusal| {
            assert_eq!(refusal.status(), 400);
            refusal.reason().to_owned()
        })
    }

    /// The offered subprotocol that the server prefers is selected.
    #[test]
    fn server_preference_decides() {
        let (json, cbor) = ("chat.v2.json.9", "chat.v2.cbor.9");
        for (spoken, offered, expected) in [
            (&[][..], &[][..], None),
            (&[], &[json], None),
            (&["old"], &[], None),
            (&["old"], &["new, old"], Some("old")),
            (&[json], &[json], Some(json)),
            (
                &[json, cbor],
                &["chat.v2.cbor.9,chat.v2.json.9"],
                Some(json),
            ),
            (
                &[json, cbor],
                &["chat.v1.json.9, chat.v2.cbor.9"],
                Some(cbor),
            ),
            (&[json, cbor], &["", ",,", cbor, cbor], Some(cbor)),
            (&[json, "old"], &["old"], Some("old")),
            (&["old", json], &["chat.v2.json.9, old"], Some("old")),
            (&[json, "old"], &["chat.v2.json.9, old"], Some(json)),
        ] {
            let chosen = chosen(spoken, offered);
            assert_eq!(
                chosen,
                Ok(expected.map(str::to_owned)),
                "{spoken:?} {offered:?}"
            );
        }
    }

    #[test]
    fn a_refusal_says_exactly_what_differs() {
        let one = &["chat.v2.json.9"][..];
        let two = &["chat.v2.json.9", "chat.v2.cbor.9.message"][..];
        let mixed = &["chat.v2.json.9", "old"][..];
        let none = "client offers no contract, server supports chat.v2.json.9";
        let both = "(server supports chat.v2.json.9, chat.v2.cbor.9.message)";
        for (spoken, offered, expected) in [
            (one, &[][..], none),
            (one, &["old, chat.v2.json, chat.v2.json.09"], none),
            // Not a header that may be believed.
            (one, &["chat.v2.\tjson.9", "chat.v1.json.9é"], none),
            (
                mixed,
                &["new"],
                "client offers no contract, server supports chat.v2.json.9 or old",
            ),
            (
                one,
                &["chat.v1.json.9"],
                "chat: client offers version 1, server supports version 2",
            ),
            (
                one,
                &["chat.v2.cbor.9"],
                "chat: client offers codec cbor, server supports codec json",
            ),
            (
                one,
                &["chat.v2.json.10"],
                "chat: client offers limit 10, server supports limit 9",
            ),
            (
                one,
                &["chat.v2.json.9.message"],
                "chat: client offers framing per message, server supports framing packed",
            ),
            (
                one,
                &["Chat.v2.json.9"],
                "client offers Chat, server supports chat",
            ),
            (
                one,
                &["shop.v1.cbor.1"],
                "client offers shop, server supports chat",
            ),
            (
                one,
                &["chat.v1.json.10"],
                "chat: client offers version 1, server supports version 2; client offers limit 10, server supports limit 9",
            ),
            // The one that comes closest.
            (
                one,
                &["shop.v2.json.9, chat.v1.cbor.8", "chat.v2.cbor.9"],
                "chat: client offers codec cbor, server supports codec json",
            ),
            (
                two,
                &["chat.v1.lines.9, chat.v1.cbor.9.message"],
                &format!("chat: client offers version 1, server supports version 2 {both}"),
            ),
            (
                &["chat.v2.cbor.9", "chat.v2.json.9.message"],
                &["chat.v2.json.9"],
                "chat: client offers framing packed, server supports framing per message \
                 (server supports chat.v2.cbor.9, chat.v2.json.9.message)",
            ),
            (
                two,
                &["chat.v1.lines.9"],
                &format!(
                    "chat: client offers version 1, server supports version 2; client offers codec lines, server supports codec json {both}"
                ),
            ),
        ] {
            let chosen = chosen(spoken, offered);
            assert_eq!(chosen, Err(expected.to_owned()), "{spoken:?} {offered:?}");
        }
    }

    /// The answer to a hostile offer is short, however long the offer is.
    #[test]
    fn hostile_offer_gets_short_answer() {
        let long = "x".repeat(64 * 1024);
        let many: Vec<_> = (0..10_000).map(|n| format!("chat.v{n}.json.8")).collect();
        for offer in [
            format!("{long}.v2.json.9"),
            format!("chat.v2.{long}.9"),
            format!("chat.v2.json.{}", "9".repeat(64 * 1024)),
            many.join(","),
            many[..3].join(",").repeat(1000),
            ".".repeat(64 * 1024),
            ",".repeat(64 * 1024),
        ] {
            let why = chosen(&["chat.v2.json.9"], &[&offer]).unwrap_err();
            assert!(why.len() < 200, "{why}");
        }
    }
}
