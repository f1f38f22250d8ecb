//! Conversions between byte streams and item streams, at random points of random traffic.

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, future};
use proptest::prelude::*;
use support::{Pipe, config_without_keepalive, run, tungstenite_pair_with};
use ws_framed::{
    LengthDelimited, Lines, MessageTransport, Tungstenite, WsFramed, WsStream, bytes::Bytes,
};

const MAX_FRAME_LEN: usize = 300;

/// A part of what one end sends, through one kind of stream.
#[derive(Clone, Debug)]
enum Section {
    Bytes(Vec<u8>),
    Lines(Vec<String>),
    Blobs(Vec<Bytes>),
}

/// How a stream is converted, and back, between two items.
#[derive(Clone, Copy, Debug)]
enum Conversion {
    None,
    IntoStream,
    Parts,
    MapCodec,
}

#[derive(Clone, Debug)]
struct Plan {
    sections: Vec<Section>,
    /// Whether to flush, and how to convert, after each item or chunk that is sent.
    steps: Vec<(bool, Conversion)>,
    /// How to convert after each item that is received.
    conversions: Vec<Conversion>,
    max_send_message_len: usize,
}

fn conversion() -> impl Strategy<Value = Conversion> {
    prop_oneof![
        Just(Conversion::None),
        Just(Conversion::IntoStream),
        Just(Conversion::Parts),
        Just(Conversion::MapCodec)
    ]
}

fn section() -> impl Strategy<Value = Section> {
    let blob = proptest::collection::vec(any::<u8>(), 0..MAX_FRAME_LEN);
    let line = "[a-zé ]{0,60}";
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..2000).prop_map(Section::Bytes),
        proptest::collection::vec(line, 0..6).prop_map(Section::Lines),
        proptest::collection::vec(blob.prop_map(Bytes::from), 0..6).prop_map(Section::Blobs),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    (
        proptest::collection::vec(section(), 0..8),
        proptest::collection::vec((any::<bool>(), conversion()), 1..9),
        proptest::collection::vec(conversion(), 1..9),
        prop_oneof![1..20_usize, 20..3000_usize],
    )
        .prop_map(
            |(sections, steps, conversions, max_send_message_len)| Plan {
                sections,
                steps,
                conversions,
                max_send_message_len,
            },
        )
}

/// Converts the stream and back.
fn convert_lines<M: MessageTransport>(
    framed: WsFramed<String, Lines, M>,
    conversion: Conversion,
) -> WsFramed<String, Lines, M> {
    match conversion {
        Conversion::None => framed,
        Conversion::IntoStream => framed.into_stream().framed(Lines::new(MAX_FRAME_LEN)),
        Conversion::Parts => WsFramed::from_parts(framed.into_parts()),
        Conversion::MapCodec => framed
            .map_codec(|_| LengthDelimited::new(1))
            .map_codec(|_| Lines::new(MAX_FRAME_LEN)),
    }
}

fn convert_blobs<M: MessageTransport>(
    framed: WsFramed<Bytes, LengthDelimited, M>,
    conversion: Conversion,
) -> WsFramed<Bytes, LengthDelimited, M> {
    match conversion {
        Conversion::None => framed,
        Conversion::IntoStream => framed
            .into_stream()
            .framed(LengthDelimited::new(MAX_FRAME_LEN)),
        Conversion::Parts => WsFramed::from_parts(framed.into_parts()),
        Conversion::MapCodec => framed
            .map_codec(|_| Lines::new(1))
            .map_codec(|_| LengthDelimited::new(MAX_FRAME_LEN)),
    }
}

async fn send(plan: Plan, mut stream: WsStream<Tungstenite<Pipe>>) -> WsStream<Tungstenite<Pipe>> {
    let mut steps = plan.steps.into_iter().cycle();
    for section in plan.sections {
        match section {
            Section::Bytes(bytes) => {
                for piece in bytes.chunks(500) {
                    stream.write_all(piece).await.unwrap();
                    if steps.next().unwrap().0 {
                        stream.flush().await.unwrap();
                    }
                }
            }
            Section::Lines(lines) => {
                let mut framed = stream.framed(Lines::new(MAX_FRAME_LEN));
                for line in lines {
                    framed.feed(line).await.unwrap();
                    let (flush, conversion) = steps.next().unwrap();
                    if flush {
                        framed.flush().await.unwrap();
                    }
                    framed = convert_lines(framed, conversion);
                }
                stream = framed.into_stream();
            }
            Section::Blobs(items) => {
                let mut framed = stream.framed(LengthDelimited::new(MAX_FRAME_LEN));
                for item in items {
                    framed.feed(item).await.unwrap();
                    let (flush, conversion) = steps.next().unwrap();
                    if flush {
                        framed.flush().await.unwrap();
                    }
                    framed = convert_blobs(framed, conversion);
                }
                stream = framed.into_stream();
            }
        }
    }
    stream.close().await.unwrap();
    // The reply to the close frame may not fit into the pipe unless it is read.
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    stream
}

async fn receive(plan: Plan, mut stream: WsStream<Tungstenite<Pipe>>) {
    let mut conversions = plan.conversions.into_iter().cycle();
    for section in plan.sections {
        match section {
            Section::Bytes(bytes) => {
                let mut got = vec![0; bytes.len()];
                stream.read_exact(&mut got).await.unwrap();
                assert_eq!(got, bytes);
            }
            Section::Lines(lines) => {
                let mut framed = stream.framed(Lines::new(MAX_FRAME_LEN));
                for line in lines {
                    assert_eq!(framed.next().await.unwrap().unwrap(), line);
                    framed = convert_lines(framed, conversions.next().unwrap());
                }
                stream = framed.into_stream();
            }
            Section::Blobs(items) => {
                let mut framed = stream.framed(LengthDelimited::new(MAX_FRAME_LEN));
                for item in items {
                    assert_eq!(framed.next().await.unwrap().unwrap(), item);
                    framed = convert_blobs(framed, conversions.next().unwrap());
                }
                stream = framed.into_stream();
            }
        }
    }
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "{} bytes too many", rest.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Conversions at any point lose and repeat nothing, over a pipe so small that much of the data
    /// is in flight when they happen.
    #[test]
    fn any_conversions_lose_nothing(plan in plan(), capacity in 1..4000_usize) {
        run(async {
            let config = config_without_keepalive().max_send_message_len(plan.max_send_message_len);
            let (server, client) = tungstenite_pair_with(capacity, config.clone(), config).await;
            future::join(send(plan.clone(), server), receive(plan, client)).await;
        });
    }
}
