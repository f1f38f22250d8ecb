//! What two ends have to have in common to understand each other's frames.

use std::borrow::Cow;

/// What a codec puts on the wire: the name of its format and its limit, so that two ends can find
/// out before the first frame whether they speak the same.
///
/// The name stands for the bytes. Those of this crate are stable from the first release on: a codec
/// whose bytes change after it gets another name.
///
/// | codec | name |
/// |---|---|
/// | `LengthDelimited` | `length-delimited` |
/// | `Lines` | `lines` |
/// | `Text` | `text` |
/// | `Bincode` | `bincode2` |
/// | `Postcard` | `postcard` |
/// | `Json` | `json` |
/// | `Cbor` | `cbor` |
/// | `Compressed` | `lz4+` and the name of the inner codec |
///
/// What the values are is not in it. For a codec of your own:
///
/// ```
/// use std::borrow::Cow;
/// use ws_framed_codecs::{LengthDelimited, WireFormat};
///
/// /// Messages of Protocol Buffers, each behind its length.
/// struct Protobuf {
///     frames: LengthDelimited,
/// }
///
/// impl WireFormat for Protobuf {
///     fn name(&self) -> Cow<'static, str> {
///         "protobuf".into()
///     }
///
///     fn max_frame_len(&self) -> usize {
///         self.frames.max_frame_len()
///     }
/// }
/// ```
pub trait WireFormat {
    /// The name of the format: letters, digits, and any of ``!#$%&'*+-^_`|~``; at most 128 of them.
    /// It goes into the opening handshake of a WebSocket, where nothing else may stand.
    fn name(&self) -> Cow<'static, str>;

    /// The largest payload that is sent or taken, in bytes. What is around it, a prefix or the end
    /// of a line, does not count.
    fn max_frame_len(&self) -> usize;
}
