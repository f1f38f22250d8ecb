//! Adapters between codecs of `tokio_util` and of `asynchronous_codec`.

use std::{fmt, io, marker::PhantomData};

use asynchronous_codec as ours;
use bytes::BytesMut;
use tokio_util::codec as theirs;
use ws_framed_codecs::LengthPrefixed;

/// Adapts a codec of `tokio_util` to the item stream, [`WsFramed`](crate::WsFramed).
///
/// `C` is the codec, `Out` the type that is sent. A codec of `tokio_util` may encode several types,
/// so `Out` is a parameter; the compiler infers it where an item is sent.
///
/// An error that consumes no bytes ends the connection, as for every codec of this library. This
/// concerns `LinesCodec`: it reports a line that is too long before it skips the line. Use
/// [`Lines`](crate::Lines) instead. By default, a codec of `tokio_util` reports a stream that ends
/// within a frame as an error of the kind `Other`; that error is passed on unchanged.
///
/// Most codecs of `tokio_util` have no limit by default. Set one.
///
/// ```
/// use futures::{SinkExt, TryStreamExt};
/// use tokio_util::codec::LengthDelimitedCodec;
/// use ws_framed::{TokioCodec, WsStream, bytes::Bytes};
///
/// async fn greet(stream: WsStream) -> std::io::Result<()> {
///     let codec = LengthDelimitedCodec::builder().max_frame_length(1024).new_codec();
///     let mut frames = stream.framed(TokioCodec::new(codec));
///     frames.send(Bytes::from_static(b"hello")).await?;
///     println!("{:?}", frames.try_next().await?);
///     Ok(())
/// }
/// ```
pub struct TokioCodec<C, Out> {
    codec: C,
    /// Whether `decode_eof` returned an item or an error. Like `tokio_util`, `decode` is then not
    /// called until it returns `None`.
    at_the_end: bool,
    sent: PhantomData<fn(Out)>,
}

impl<C, Out> TokioCodec<C, Out> {
    /// Wraps a codec.
    #[must_use]
    pub fn new(codec: C) -> Self {
        Self {
            codec,
            at_the_end: false,
            sent: PhantomData,
        }
    }

    /// The codec.
    pub fn get_ref(&self) -> &C {
        &self.codec
    }

    /// The codec, to change its settings.
    pub fn get_mut(&mut self) -> &mut C {
        &mut self.codec
    }

    /// Returns the codec.
    pub fn into_inner(self) -> C {
        self.codec
    }
}

impl<C: Clone, Out> Clone for TokioCodec<C, Out> {
    fn clone(&self) -> Self {
        Self {
            codec: self.codec.clone(),
            ..*self
        }
    }
}

impl<C: fmt::Debug, Out> fmt::Debug for TokioCodec<C, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokioCodec").field(&self.codec).finish()
    }
}

impl<C: LengthPrefixed, Out> LengthPrefixed for TokioCodec<C, Out> {
    fn is_text(&self) -> bool {
        self.codec.is_text()
    }
}

impl<C: theirs::Encoder<Out>, Out> ours::Encoder for TokioCodec<C, Out> {
    type Item<'a> = Out;
    type Error = C::Error;

    fn encode(&mut self, item: Out, dst: &mut BytesMut) -> Result<(), C::Error> {
        self.codec.encode(item, dst)
    }
}

impl<C: theirs::Decoder, Out> ours::Decoder for TokioCodec<C, Out> {
    type Item = C::Item;
    type Error = C::Error;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<C::Item>, C::Error> {
        if self.at_the_end {
            return Ok(None);
        }
        self.codec.decode(src)
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<C::Item>, C::Error> {
        let last = self.codec.decode_eof(src);
        self.at_the_end = !matches!(last, Ok(None));
        if !self.at_the_end {
            // The codec accepts the rest, for example the `\r` of a last line, or it would have
            // returned an error. `WsFramed` would report the rest as a partial frame.
            src.clear();
        }
        last
    }
}

/// Adapts a codec of this library, or any of `asynchronous_codec`, to `tokio_util::codec::Framed`.
///
/// A stream that ends within a frame is an error of the kind `UnexpectedEof`. After an error,
/// `tokio_util`'s `Framed` returns `None` once. If the codec consumed the frame, as with
/// [`CodecError::Malformed`](crate::CodecError::Malformed), a later poll continues once more bytes
/// have arrived.
///
/// ```
/// use futures::{SinkExt, TryStreamExt};
/// use tokio::net::TcpStream;
/// use tokio_util::codec::Framed;
/// use ws_framed::{CodecError, ForTokio, Lines};
///
/// async fn greet(stream: TcpStream) -> Result<(), CodecError> {
///     let mut lines = Framed::new(stream, ForTokio::new(Lines::new(80)));
///     lines.send("hello".to_owned()).await?;
///     println!("{:?}", lines.try_next().await?);
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct ForTokio<C> {
    codec: C,
}

impl<C> ForTokio<C> {
    /// Wraps a codec.
    #[must_use]
    pub fn new(codec: C) -> Self {
        Self { codec }
    }

    /// The codec.
    pub fn get_ref(&self) -> &C {
        &self.codec
    }

    /// The codec, to change its settings.
    pub fn get_mut(&mut self) -> &mut C {
        &mut self.codec
    }

    /// Returns the codec.
    pub fn into_inner(self) -> C {
        self.codec
    }
}

impl<C: ours::Encoder> theirs::Encoder<C::Item<'_>> for ForTokio<C> {
    type Error = C::Error;

    fn encode(&mut self, item: C::Item<'_>, dst: &mut BytesMut) -> Result<(), C::Error> {
        self.codec.encode(item, dst)
    }
}

impl<C: ours::Decoder> theirs::Decoder for ForTokio<C> {
    type Item = C::Item;
    type Error = C::Error;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<C::Item>, C::Error> {
        self.codec.decode(src)
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<C::Item>, C::Error> {
        match self.codec.decode_eof(src)? {
            // With `asynchronous_codec`, the caller of the codec detects a partial frame; with
            // `tokio_util`, the codec does.
            None if !src.is_empty() => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the stream ended within a frame",
            )
            .into()),
            last => Ok(last),
        }
    }
}
