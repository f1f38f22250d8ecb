//! The negotiation of permessage-deflate (RFC 7692 sections 5 and 7.1).

use super::Extension;
use crate::{
    config::{Compression, Deflate},
    error::WsErr,
};

const NAME: &str = "permessage-deflate";
const SERVER_NO_CONTEXT: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT: &str = "client_no_context_takeover";
const SERVER_WINDOW: &str = "server_max_window_bits";
const CLIENT_WINDOW: &str = "client_max_window_bits";

/// The window of an end that is not asked for a smaller one.
const MAX_WINDOW: u8 = 15;

/// The smallest window that the compressor has.
const MIN_SEND_WINDOW: u8 = 9;

/// The parameters of an offer, or of the answer to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Params {
    server_no_context: bool,
    client_no_context: bool,
    server_window: Option<u8>,
    /// An offer without a value says that the client supports the parameter.
    has_client_window: bool,
    client_window: Option<u8>,
}

impl Params {
    /// The parameters of an extension, which are `None` if one is unknown or twice there, or has a
    /// value that it must not have.
    fn of(extension: &Extension) -> Option<Self> {
        let mut params = Self::default();
        for (name, value) in &extension.params {
            let value = value.as_deref();
            let is_first = match name.as_str() {
                SERVER_NO_CONTEXT if value.is_none() => {
                    !std::mem::replace(&mut params.server_no_context, true)
                }
                CLIENT_NO_CONTEXT if value.is_none() => {
                    !std::mem::replace(&mut params.client_no_context, true)
                }
                SERVER_WINDOW => params.server_window.replace(window(value?)?).is_none(),
                CLIENT_WINDOW => {
                    params.client_window = match value {
                        Some(value) => Some(window(value)?),
                        None => None,
                    };
                    !std::mem::replace(&mut params.has_client_window, true)
                }
                _ => false,
            };
            if !is_first {
                return None;
            }
        }
        Some(params)
    }

    fn to_extension(self) -> Extension {
        let flag = |is_set: bool, name: &str| is_set.then(|| (name.to_owned(), None));
        let window = |bits: Option<u8>, name: &str| {
            bits.map(|bits| (name.to_owned(), Some(bits.to_string())))
        };
        let params = [
            flag(self.server_no_context, SERVER_NO_CONTEXT),
            flag(self.client_no_context, CLIENT_NO_CONTEXT),
            window(self.server_window, SERVER_WINDOW),
            window(self.client_window, CLIENT_WINDOW)
                .or_else(|| flag(self.has_client_window, CLIENT_WINDOW)),
        ];
        Extension {
            name: NAME.to_owned(),
            params: params.into_iter().flatten().collect(),
        }
    }
}

/// From 8 to 15, in decimal digits without a leading zero (RFC 7692 section 7.1.2).
fn window(value: &str) -> Option<u8> {
    let is_canonical = !value.starts_with(['0', '+']);
    let bits = value.parse().ok().filter(|_| is_canonical)?;
    (8..=MAX_WINDOW).contains(&bits).then_some(bits)
}

/// What a client offers with these settings.
fn offered(deflate: &Deflate) -> Params {
    let smaller = |bits: u8| (bits < MAX_WINDOW).then_some(bits);
    Params {
        server_no_context: !deflate.recv_context,
        client_no_context: !deflate.send_context,
        server_window: smaller(deflate.recv_window_bits),
        has_client_window: true,
        client_window: smaller(deflate.send_window_bits),
    }
}

/// The header of a client's request.
pub(in crate::handshake) fn offer(deflate: &Deflate) -> String {
    offered(deflate).to_extension().to_string()
}

/// A server's answer to the extensions that a client offers: the header, and what is agreed on.
/// `None` if there is no offer that it can accept.
pub(in crate::handshake) fn answer(
    offered: &[Extension],
    deflate: &Deflate,
) -> Option<(String, Compression)> {
    let offers = offered.iter().filter(|offer| offer.name == NAME);
    offers.filter_map(Params::of).find_map(|offer| {
        let (answer, agreed) = accept(offer, deflate)?;
        Some((answer.to_extension().to_string(), agreed))
    })
}

/// The answer to one offer, unless it asks for a window that the compressor does not have.
fn accept(offer: Params, deflate: &Deflate) -> Option<(Params, Compression)> {
    let own_window = deflate.send_window_bits;
    let send_window_bits = offer.server_window.unwrap_or(MAX_WINDOW).min(own_window);
    if send_window_bits < MIN_SEND_WINDOW {
        return None;
    }
    let client_limit = offer.client_window.unwrap_or(MAX_WINDOW);
    let recv_window_bits = if offer.has_client_window {
        client_limit.min(deflate.recv_window_bits)
    } else {
        MAX_WINDOW
    };
    let limits_client = recv_window_bits < client_limit;
    let answer = Params {
        server_no_context: offer.server_no_context || !deflate.send_context,
        client_no_context: offer.client_no_context || !deflate.recv_context,
        server_window: (offer.server_window.is_some() || send_window_bits < MAX_WINDOW)
            .then_some(send_window_bits),
        has_client_window: limits_client,
        client_window: limits_client.then_some(recv_window_bits),
    };
    let agreed = Compression {
        send_context: !answer.server_no_context,
        recv_context: !answer.client_no_context,
        send_window_bits,
        recv_window_bits,
    };
    Some((answer, agreed))
}

/// What a client and a server agreed on, if the server selected `extension`.
///
/// # Errors
/// [`WsErr::Extension`] if it is not what these settings offer, or if the compressor does not have
/// the window.
pub(in crate::handshake) fn agree(
    extension: &Extension,
    deflate: &Deflate,
) -> Result<Compression, WsErr> {
    let refused = || WsErr::Extension(extension.to_string());
    if extension.name != NAME {
        return Err(refused());
    }
    let answer = Params::of(extension).ok_or_else(refused)?;
    let offer = offered(deflate);
    let server_window = answer.server_window.unwrap_or(MAX_WINDOW);
    let client_window = match answer.client_window {
        // A value is optional in an offer only.
        None if answer.has_client_window => return Err(refused()),
        bits => bits.unwrap_or(MAX_WINDOW),
    };
    let is_possible = (answer.server_no_context || !offer.server_no_context)
        && server_window <= offer.server_window.unwrap_or(MAX_WINDOW)
        && (MIN_SEND_WINDOW..=MAX_WINDOW).contains(&client_window);
    let is_larger = answer.has_client_window && client_window > deflate.send_window_bits;
    if !is_possible || is_larger {
        return Err(refused());
    }
    Ok(Compression {
        send_context: !(offer.client_no_context || answer.client_no_context),
        recv_context: !answer.server_no_context,
        send_window_bits: client_window.min(deflate.send_window_bits),
        recv_window_bits: server_window,
    })
}

#[cfg(test)]
mod tests;
