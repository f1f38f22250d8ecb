//! Options of TCP sockets, on any runtime.

/// The most that the operating system holds of what it has not sent, in bytes. A pong, a ping or a
/// close frame is behind that; by default it may be megabytes. With 16 KiB, a peer that reads
/// slowly causes twice as many writes.
#[cfg(any(target_os = "android", target_os = "linux"))]
const MAX_UNSENT: u32 = 64 * 1024;

/// Limits what the operating system holds of what it has not sent.
#[cfg(any(target_os = "android", target_os = "linux"))]
pub(super) fn limit_unsent(socket: &impl std::os::fd::AsFd) {
    // A socket that refuses the option works: a slow peer may seem dead.
    let _ = socket2::SockRef::from(socket).set_tcp_notsent_lowat(MAX_UNSENT);
}

/// Other systems have no such option, or no safe way to set it.
#[cfg(not(any(target_os = "android", target_os = "linux")))]
pub(super) fn limit_unsent<S>(_: &S) {}
