//! Protocol Buffers: a codec for the messages of `prost`, so that the other side may be written in
//! any language.
//!
//! The messages are written by hand here, which needs no `protoc`. With `prost-build` they would
//! come out of a `.proto` file, and the codec would be the same.
//!
//! Run it with `cargo run -p frameworks --example protobuf`.

use std::marker::PhantomData;

use futures::{SinkExt, TryStreamExt};
use prost::Message;
use tokio::net::TcpListener;
use ws_framed::{
    CloseFrame, CodecError, Decoder, Encoder, LengthDelimited, WsFramed, accept, bytes::BytesMut,
    connect,
};

/// A message of a measuring station.
///
/// ```proto
/// message Reading {
///   string station = 1;
///   sint32 degrees = 2;
///   repeated uint32 gusts = 3;
/// }
/// ```
#[derive(Clone, PartialEq, Message)]
struct Reading {
    #[prost(string, tag = "1")]
    station: String,
    #[prost(sint32, tag = "2")]
    degrees: i32,
    #[prost(uint32, repeated, tag = "3")]
    gusts: Vec<u32>,
}

/// The reply.
///
/// ```proto
/// message Advice {
///   string text = 1;
/// }
/// ```
#[derive(Clone, PartialEq, Message)]
struct Advice {
    #[prost(string, tag = "1")]
    text: String,
}

/// Reads `In`, writes `Out`, each behind its length. A message of Protocol Buffers does not say
/// where it ends, so something has to.
struct Protobuf<In, Out> {
    frames: LengthDelimited,
    types: PhantomData<fn(Out) -> In>,
}

impl<In, Out> Protobuf<In, Out> {
    /// The limit of `LengthDelimited` is ours: it is kept before anything is decoded, or allocated.
    /// Inside of a message, `prost` itself looks whether the bytes are there that a length claims,
    /// and goes no deeper than 100 messages within each other.
    fn new(max_frame_len: usize) -> Self {
        Self {
            frames: LengthDelimited::new(max_frame_len),
            types: PhantomData,
        }
    }
}

impl<In, Out: Message> Encoder for Protobuf<In, Out> {
    type Item<'a> = Out;
    type Error = CodecError;

    fn encode(&mut self, message: Out, buffer: &mut BytesMut) -> Result<(), CodecError> {
        self.frames.encode(message.encode_to_vec().into(), buffer)
    }
}

impl<In: Message + Default, Out> Decoder for Protobuf<In, Out> {
    type Item = In;
    type Error = CodecError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<In>, CodecError> {
        let Some(frame) = self.frames.decode(buffer)? else {
            return Ok(None);
        };
        // The frame is out of the buffer, so that one bad message does not end the connection.
        let message = In::decode(frame).map_err(|error| CodecError::Malformed(error.into()))?;
        Ok(Some(message))
    }
}

type Station = WsFramed<Advice, Protobuf<Advice, Reading>>;
type Office = WsFramed<Reading, Protobuf<Reading, Advice>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);

    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await?;
        let mut office: Office = accept(socket).await?.framed(Protobuf::new(4096));
        while let Some(reading) = office.try_next().await? {
            let text = match reading.degrees {
                ..=0 => format!("mind the ice, {}", reading.station),
                _ => format!("fine, {}", reading.station),
            };
            office.send(Advice { text }).await?;
        }
        Ok::<_, CodecError>(())
    });

    let mut station: Station = connect(&url).await?.framed(Protobuf::new(4096));
    for (degrees, gusts) in [(-4, vec![12, 40]), (17, vec![])] {
        let reading = Reading {
            station: "Jungfraujoch".into(),
            degrees,
            gusts,
        };
        println!("{reading:?}");
        station.send(reading).await?;
        println!("{:?}", station.try_next().await?);
    }

    println!("{:?}", station.close_with(CloseFrame::normal()).await?);
    server.await??;
    Ok(())
}
