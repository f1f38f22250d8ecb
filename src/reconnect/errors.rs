//! What an error says about the next attempt.

use std::time::Duration;
#[cfg(not(target_arch = "wasm32"))]
use std::time::SystemTime;

use http::header::RETRY_AFTER;

use crate::error::{ProxyError, RejectedHandshake, SocksReply, WsErr};

/// Whether retrying cannot help.
pub(super) fn is_final(error: &WsErr) -> bool {
    match error {
        WsErr::InvalidUrl(_)
        | WsErr::InvalidHeader(_)
        | WsErr::InvalidConfig(_)
        | WsErr::NoCodec(_)
        | WsErr::Unsupported(_)
        | WsErr::NoSubprotocol
        | WsErr::Extension(_) => true,
        WsErr::Rejected(response) => is_final_status(response),
        WsErr::Proxy(error) => match &**error {
            ProxyError::Rejected(response) => is_final_status(response),
            ProxyError::Unauthorized => true,
            ProxyError::Socks(reply) => matches!(
                reply,
                SocksReply::NotAllowed
                    | SocksReply::CommandNotSupported
                    | SocksReply::AddressTypeNotSupported
            ),
            ProxyError::Invalid(_) => false,
        },
        _ => false,
    }
}

fn is_final_status(response: &RejectedHandshake) -> bool {
    match response.status().as_u16() {
        // Timeout, too early, too many requests (RFC 9110 section 15.5.9, RFC 8470, RFC 6585).
        408 | 425 | 429 => false,
        status => matches!(status, 301 | 308 | 400..500),
    }
}

/// The value of `Retry-After`: seconds, or a date.
pub(super) fn retry_after(error: &WsErr) -> Option<Duration> {
    let response = match error {
        WsErr::Rejected(response) => response,
        WsErr::Proxy(error) => match &**error {
            ProxyError::Rejected(response) => response,
            _ => return None,
        },
        _ => return None,
    };
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that does not fit counts as the longest time.
        let seconds = (!value.is_empty()).then(|| value.parse().unwrap_or(u64::MAX));
        return seconds.map(Duration::from_secs);
    }
    until(value)
}

/// The time until a date (RFC 9110 section 5.6.7).
#[cfg(not(target_arch = "wasm32"))]
fn until(date: &str) -> Option<Duration> {
    let date = httpdate::parse_http_date(date).ok()?;
    date.duration_since(SystemTime::now()).ok()
}

/// A browser does not report rejections.
#[cfg(target_arch = "wasm32")]
fn until(_: &str) -> Option<Duration> {
    None
}
