//! Growth of the buffers that the decoder fills.

use bytes::BytesMut;

/// Up to this length, room for a whole frame is made when its header arrives. Beyond it, the room
/// at most doubles what has arrived: a header alone does not make this end allocate all it
/// announces.
const TRUSTED_LEN: usize = 4 * 1024 * 1024;

/// The capacity to grow to for `expected` more bytes, or `None` if there is room enough. The
/// message has at most `max` bytes, `len` of which are there.
///
/// Growth by a factor of two keeps the copying linear; `max` bounds it.
pub(super) fn grown(len: usize, capacity: usize, expected: usize, max: usize) -> Option<usize> {
    let trusted = len.saturating_mul(2).max(TRUSTED_LEN);
    let wanted = len.saturating_add(expected).min(trusted);
    if wanted <= capacity {
        return None;
    }
    Some(wanted.max(capacity.saturating_mul(2).min(max)))
}

/// Makes room in `buffer`, which nothing else shares, for `expected` more bytes of a message of at
/// most `max`, as far as [`grown`] trusts them.
pub(super) fn reserve(buffer: &mut BytesMut, expected: usize, max: usize) {
    if let Some(capacity) = grown(buffer.len(), buffer.capacity(), expected, max) {
        let mut larger = BytesMut::with_capacity(capacity);
        larger.extend_from_slice(buffer);
        *buffer = larger;
    }
}
