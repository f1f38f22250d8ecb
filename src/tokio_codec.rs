//! Codecs of `tokio_util` here, and codecs from here in `tokio_util`.

use std::{fmt, io, marker::PhantomData};

use asynchronous_codec as ours;
use bytes::BytesMut;
use tokio_util::codec as theirs;
use ws_framed_codecs::LengthPrefixed;

/// A codec of `tokio_util` for the item view.
///
/// `C` is the codec, `Out` the type that is sent with it. A codec of `tokio_util` may take several
/// types, so this has to be said; where something is sent, the compiler finds it out.
///
/// An error that leaves the buffer as it was ends the connection, as it does for every codec here, whatever
/// the codec remembers. One that does is `LinesCodec` when a line is too long: it means to skip the
/// line, but has not done so when it says that. [`Lines`](crate::Lines) is the one for the item view.
/// `tokio_util`'s own default for a stream that ends within a frame, an error of the kind `Other`,
/// comes through as it is.
///
/// Most codecs of `tokio_util` have no limit unless they are given one.
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
    /// `decode_eof` gave something, so `decode` is not called before it gives nothing: that is how
    /// `tokio_util` drives a codec.
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

    /// The codec again.
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
            // What is left is what the codec does not mind, the `\r` of a last line for one: it would have
            // said so. What drives it here would take it for a part of a frame.
            src.clear();
        }
        last
    }
}

/// A codec from here, or any of `asynchronous_codec`, for `tokio_util::codec::Framed`.
///
/// A stream that ends within a frame is an error of the kind `UnexpectedEof`. After an error,
/// `tokio_util`'s `Framed` says `None` once; where the codec took the bad frame from the buffer, as
/// with [`CodecError::Malformed`](crate::CodecError::Malformed), polling it again reads on, once more bytes
/// have come.
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

    /// The codec again.
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
            // `asynchronous_codec` leaves it to what drives the codec to find this, `tokio_util` to
            // the codec.
            None if !src.is_empty() => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the stream ended within a frame",
            )
            .into()),
            last => Ok(last),
        }
    }
}
