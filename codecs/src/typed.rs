//! What all codecs of typed values are, whatever their format: a limit, and two types.
//!
//! Macros, because the types are public and each has a name, and docs, of its own; and because
//! derived impls would ask of `In` and `Out` what a codec, which holds neither, has no use for.

/// The limit, the name of the format, `Clone` and `Debug`.
macro_rules! typed_codec {
    ($codec:ident, $name:literal) => {
        impl<In, Out> $codec<In, Out> {
            /// The largest payload in bytes, prefix not counted.
            #[must_use]
            pub fn max_frame_len(&self) -> usize {
                self.max_frame_len
            }
        }

        impl<In, Out> crate::WireFormat for $codec<In, Out> {
            fn name(&self) -> ::std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn max_frame_len(&self) -> usize {
                self.max_frame_len
            }
        }

        impl<In, Out> Clone for $codec<In, Out> {
            fn clone(&self) -> Self {
                Self {
                    max_frame_len: self.max_frame_len,
                    types: ::std::marker::PhantomData,
                }
            }
        }

        impl<In, Out> ::std::fmt::Debug for $codec<In, Out> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($codec))
                    .field("max_frame_len", &self.max_frame_len)
                    .finish()
            }
        }
    };
}

/// The constructor, and an encoder by way of a reference.
#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
macro_rules! typed_encoder {
    ($codec:ident, $feature:literal) => {
        impl<In, Out> $codec<In, Out> {
            /// A codec for payloads of at most `max_frame_len` bytes, prefix not counted, in both
            /// directions. Above `u32::MAX` it means `u32::MAX`.
            #[cfg_attr(docsrs, doc(cfg(feature = $feature)))]
            #[must_use]
            pub fn new(max_frame_len: usize) -> Self {
                Self {
                    max_frame_len: crate::length_prefix::clamp_limit(max_frame_len),
                    types: ::std::marker::PhantomData,
                }
            }
        }

        #[cfg_attr(docsrs, doc(cfg(feature = $feature)))]
        impl<In, Out: ::serde::Serialize> ::asynchronous_codec::Encoder for $codec<In, Out> {
            type Item<'a> = Out;
            type Error = crate::CodecError;

            fn encode(
                &mut self,
                item: Out,
                dst: &mut ::asynchronous_codec::BytesMut,
            ) -> Result<(), crate::CodecError> {
                crate::EncodeRef::encode_ref(self, &item, dst)
            }
        }
    };
}

pub(crate) use typed_codec;
#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
pub(crate) use typed_encoder;
