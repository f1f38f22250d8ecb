//! Which of the subprotocols that a client offers is spoken, and if none is, why.

use super::{
    contract::Contract, options::HandshakeOptions, rejection::Rejection, request::HandshakeRequest,
};

/// The most wanted of what is offered, if there is one. A client that offers nothing is taken, unless there are contracts:
/// those are demanded.
pub(crate) fn select(
    options: &HandshakeOptions,
    request: &HandshakeRequest<'_>,
) -> Result<Option<String>, Rejection> {
    let (subprotocols, contracts) = (options.subprotocols(), &options.contracts);
    let offers = || request.subprotocols();
    // Goes through the offers once, however much is spoken here: a client may offer as much as fits into a request.
    let rank = |offer: &str| subprotocols.iter().position(|name| name == offer);
    let chosen = offers().filter_map(rank).min();
    let chosen = chosen.and_then(|rank| subprotocols.get(rank));
    if chosen.is_none() && !contracts.is_empty() {
        let why = describe_mismatch(contracts, offers()).unwrap_or_else(|| {
            let wanted = subprotocols.join(" or ");
            format!("no contract is offered: offer {wanted} as subprotocol")
        });
        return Err(Rejection::new(400, why));
    }
    if chosen.is_none() && !subprotocols.is_empty() && offers().next().is_some() {
        let why = "none of the offered subprotocols is spoken here";
        return Err(Rejection::new(400, why));
    }
    Ok(chosen.cloned())
}

/// What the two differ in that come closest to each other, one that is offered and one that is spoken here; `None` if
/// no contract is offered.
fn describe_mismatch<'a>(
    spoken: &[Contract],
    offers: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let offers = offers.filter_map(|offer| offer.parse::<Contract>().ok());
    // Of those that are as close, the first: what is most wanted.
    let pairs = offers.filter_map(|theirs| {
        let closest = spoken
            .iter()
            .min_by_key(|ours| mismatch_rank(ours, &theirs));
        closest.map(|ours| (ours, theirs))
    });
    let (ours, theirs) = pairs.min_by_key(|(ours, theirs)| mismatch_rank(ours, theirs))?;
    let mut why = explain(ours, &theirs);
    if spoken.len() > 1 {
        let all: Vec<_> = spoken.iter().map(Contract::to_string).collect();
        why = format!("{why} (spoken here: {})", all.join(", "));
    }
    Some(why)
}

/// What they differ in, the weightiest first: who has the codec is closer than who only has the version.
fn mismatch_rank(ours: &Contract, theirs: &Contract) -> [bool; 5] {
    [
        ours.name() != theirs.name(),
        ours.codec() != theirs.codec(),
        ours.version() != theirs.version(),
        ours.max_frame_len() != theirs.max_frame_len(),
        ours.is_per_message() != theirs.is_per_message(),
    ]
}

fn explain(ours: &Contract, theirs: &Contract) -> String {
    let name = ours.name();
    if name != theirs.name() {
        // What else differs is of no interest then.
        return format!("{} is offered, {name} is spoken here", theirs.name());
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
    let both = terms(theirs).into_iter().zip(terms(ours));
    let told: Vec<_> = both
        .filter(|(theirs, ours)| theirs != ours)
        .map(|((what, theirs), (_, ours))| {
            format!("{what} {theirs} is offered, {ours} is spoken here")
        })
        .collect();
    format!("{name}: {}", told.join("; "))
}

#[cfg(test)]
mod tests {
    use async_tungstenite::tungstenite::http::{HeaderMap, HeaderValue, Uri, header};

    use super::*;

    /// What is chosen, or why nothing is. `spoken` are contracts and other subprotocols, `offered` is a header each.
    fn chosen(spoken: &[&str], offered: &[&str]) -> Result<Option<String>, String> {
        let mut options = HandshakeOptions::default();
        for name in spoken {
            match name.parse() {
                Ok(contract) => options.add_contract(contract),
                Err(_) => options.add_subprotocol(*name),
            }
        }
        let mut headers = HeaderMap::new();
        for list in offered {
            let list = HeaderValue::from_bytes(list.as_bytes()).unwrap();
            headers.append(header::SEC_WEBSOCKET_PROTOCOL, list);
        }
        let uri = Uri::from_static("/");
        select(&options, &HandshakeRequest::new(&uri, &headers)).map_err(|refusal| {
            assert_eq!(refusal.status(), 400);
            refusal.reason().to_owned()
        })
    }

    #[test]
    fn the_most_wanted_of_what_is_offered_is_chosen() {
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
        let none = "no contract is offered: offer chat.v2.json.9 as subprotocol";
        let both = "(spoken here: chat.v2.json.9, chat.v2.cbor.9.message)";
        for (spoken, offered, expected) in [
            (one, &[][..], none),
            (one, &["old, chat.v2.json, chat.v2.json.09"], none),
            // Not a header that may be believed.
            (one, &["chat.v2.\tjson.9", "chat.v1.json.9é"], none),
            (
                mixed,
                &["new"],
                "no contract is offered: offer chat.v2.json.9 or old as subprotocol",
            ),
            (
                one,
                &["chat.v1.json.9"],
                "chat: version 1 is offered, 2 is spoken here",
            ),
            (
                one,
                &["chat.v2.cbor.9"],
                "chat: codec cbor is offered, json is spoken here",
            ),
            (
                one,
                &["chat.v2.json.10"],
                "chat: limit 10 is offered, 9 is spoken here",
            ),
            (
                one,
                &["chat.v2.json.9.message"],
                "chat: framing per message is offered, packed is spoken here",
            ),
            (
                one,
                &["Chat.v2.json.9"],
                "Chat is offered, chat is spoken here",
            ),
            (
                one,
                &["shop.v1.cbor.1"],
                "shop is offered, chat is spoken here",
            ),
            (
                one,
                &["chat.v1.json.10"],
                "chat: version 1 is offered, 2 is spoken here; limit 10 is offered, 9 is spoken here",
            ),
            // The one that comes closest.
            (
                one,
                &["shop.v2.json.9, chat.v1.cbor.8", "chat.v2.cbor.9"],
                "chat: codec cbor is offered, json is spoken here",
            ),
            (
                two,
                &["chat.v1.lines.9, chat.v1.cbor.9.message"],
                &format!("chat: version 1 is offered, 2 is spoken here {both}"),
            ),
            (
                &["chat.v2.cbor.9", "chat.v2.json.9.message"],
                &["chat.v2.json.9"],
                "chat: framing packed is offered, per message is spoken here \
                 (spoken here: chat.v2.cbor.9, chat.v2.json.9.message)",
            ),
            (
                two,
                &["chat.v1.lines.9"],
                &format!(
                    "chat: version 1 is offered, 2 is spoken here; codec lines is offered, json is spoken here {both}"
                ),
            ),
        ] {
            let chosen = chosen(spoken, offered);
            assert_eq!(chosen, Err(expected.to_owned()), "{spoken:?} {offered:?}");
        }
    }

    #[test]
    fn a_hostile_offer_gets_a_short_answer() {
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
