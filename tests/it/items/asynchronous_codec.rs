//! `WsFramed` and `asynchronous_codec::Framed` over a `WsStream` send the same bytes. Whichever of
//! them is at either end, every item arrives, whole and in order.

use std::{fmt::Debug, pin::Pin};

use futures::{AsyncReadExt, AsyncWriteExt, Sink, SinkExt, Stream, StreamExt, future};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use support::{config_without_keepalive, pair_with, run};
use ws_framed::{
    Bincode, Cbor, CodecError, Config, Decoder, Encoder, Json, LengthDelimited, Lines, Postcard,
    WsStream,
    asynchronous_codec::Framed,
    bytes::{Bytes, BytesMut},
};

/// The limit of the codecs in these tests.
const MAX_FRAME_LEN: usize = 1500;

/// A codec for items of one type.
trait Codec<T>:
    for<'a> Encoder<Item<'a> = T, Error = CodecError>
    + Decoder<Item = T, Error = CodecError>
    + Unpin
    + Send
    + 'static
{
}

impl<T, C> Codec<T> for C where
    C: for<'a> Encoder<Item<'a> = T, Error = CodecError>
        + Decoder<Item = T, Error = CodecError>
        + Unpin
        + Send
        + 'static
{
}

type Sender<T> = Pin<Box<dyn Sink<T, Error = CodecError>>>;
type Receiver<T> = Pin<Box<dyn Stream<Item = Result<T, CodecError>>>>;

/// What drives the codec: `WsFramed`, or `Framed`.
#[derive(Clone, Copy, Debug)]
enum Driver {
    Ours,
    Theirs,
}

impl Driver {
    fn drive<T: 'static, C: Codec<T>>(
        self,
        stream: WsStream,
        codec: C,
    ) -> (Sender<T>, Receiver<T>) {
        match self {
            Self::Ours => {
                let (sender, receiver) = stream.framed(codec).split::<T>();
                (Box::pin(sender), Box::pin(receiver))
            }
            Self::Theirs => {
                let (sender, receiver) = Framed::new(stream, codec).split::<T>();
                (Box::pin(sender), Box::pin(receiver))
            }
        }
    }
}

const PAIRINGS: [(Driver, Driver); 4] = [
    (Driver::Ours, Driver::Ours),
    (Driver::Ours, Driver::Theirs),
    (Driver::Theirs, Driver::Ours),
    (Driver::Theirs, Driver::Theirs),
];

/// How one end sends: the length of its messages, and after which items it flushes.
#[derive(Clone, Debug)]
struct SendOptions {
    max_send_message_len: usize,
    flushes: Vec<bool>,
}

fn options() -> impl Strategy<Value = SendOptions> {
    let len = prop_oneof![Just(1), 2..50_usize, 50..5000_usize, Just(64 * 1024)];
    (len, proptest::collection::vec(any::<bool>(), 1..8)).prop_map(
        |(max_send_message_len, flushes)| SendOptions {
            max_send_message_len,
            flushes,
        },
    )
}

impl SendOptions {
    fn config(&self) -> Config {
        config_without_keepalive().max_send_message_len(self.max_send_message_len)
    }

    /// Sends all items, and flushes.
    async fn send<T>(&self, sender: &mut Sender<T>, items: Vec<T>) {
        for (item, flush) in items.into_iter().zip(self.flushes.iter().cycle()) {
            if *flush {
                sender.send(item).await.unwrap();
            } else {
                sender.feed(item).await.unwrap();
            }
        }
        sender.flush().await.unwrap();
    }
}

/// Receives as many items as there should be.
async fn receive<T>(receiver: &mut Receiver<T>, count: usize) -> Vec<T> {
    receiver.take(count).map(Result::unwrap).collect().await
}

/// Both ends send and receive at once, in each pairing. All items arrive, and both ends get a clean
/// end.
fn check_pairings<T, C>(codec: impl Fn() -> C, options: &[SendOptions; 2], items: &[Vec<T>; 2])
where
    T: Clone + Debug + PartialEq + 'static,
    C: Codec<T>,
{
    for (server, client) in PAIRINGS {
        run(async {
            let streams = pair_with(options[0].config(), options[1].config()).await;
            let (mut to_client, mut from_client) = server.drive::<T, C>(streams.0, codec());
            let (mut to_server, mut from_server) = client.drive::<T, C>(streams.1, codec());
            let (at_server, at_client, (), ()) = future::join4(
                receive(&mut from_client, items[1].len()),
                receive(&mut from_server, items[0].len()),
                options[0].send(&mut to_client, items[0].clone()),
                options[1].send(&mut to_server, items[1].clone()),
            )
            .await;
            assert_eq!(at_client, items[0], "{server:?} to {client:?}");
            assert_eq!(at_server, items[1], "{client:?} to {server:?}");

            // Neither end writes any more, so no close discards data of the other end.
            let (closed, also_closed) = future::join(to_client.close(), to_server.close()).await;
            closed.and(also_closed).unwrap();
            let rest = future::join(from_client.next(), from_server.next()).await;
            assert!(matches!(rest, (None, None)), "{rest:?}");
        });
    }
}

/// Either driver sends exactly the bytes that the codec alone writes.
fn check_bytes<T, C>(codec: impl Fn() -> C, options: &SendOptions, items: &[T])
where
    T: Clone + Debug + 'static,
    C: Codec<T>,
{
    let mut expected = BytesMut::new();
    let mut alone = codec();
    for item in items {
        alone.encode(item.clone(), &mut expected).unwrap();
    }
    for driver in [Driver::Ours, Driver::Theirs] {
        run(async {
            let (server, mut client) =
                pair_with(options.config(), config_without_keepalive()).await;
            let (mut to_client, from_client) = driver.drive::<T, C>(server, codec());
            let mut got = Vec::new();
            let (read, rest, ()) = future::join3(
                async {
                    let read = client.read_to_end(&mut got).await;
                    client.close().await.unwrap();
                    read
                },
                from_client.count(),
                async {
                    options.send(&mut to_client, items.to_vec()).await;
                    to_client.close().await.unwrap();
                },
            )
            .await;
            read.unwrap();
            assert_eq!(rest, 0);
            assert!(
                got == expected,
                "{driver:?} wrote other bytes than its codec"
            );
        });
    }
}

/// Lengths, of which 0, 1 and the limit are likely.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![
        Just(0),
        Just(1),
        Just(MAX_FRAME_LEN),
        0..40_usize,
        0..=MAX_FRAME_LEN
    ]
}

fn blob() -> impl Strategy<Value = Bytes> {
    (length(), any::<u8>()).prop_map(|(len, first)| {
        (0..len)
            .map(|at| first.wrapping_add(at.to_le_bytes()[0]))
            .collect()
    })
}

fn line() -> impl Strategy<Value = String> {
    let letter = prop_oneof![Just("x"), Just("é"), Just("\r-"), Just("漢"), Just(" ")];
    (length(), letter).prop_map(|(len, letter)| letter.repeat(len / letter.len()))
}

fn lists<T: Clone + Debug>(
    item: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = [Vec<T>; 2]> {
    let list = proptest::collection::vec(item, 0..10);
    [list.clone(), list]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// `LengthDelimited` gives the same items and bytes in `WsFramed` and in `Framed`.
    #[test]
    fn length_delimited_matches_framed(options in [options(), options()], items in lists(blob().boxed())) {
        check_pairings(|| LengthDelimited::new(MAX_FRAME_LEN), &options, &items);
        check_bytes(|| LengthDelimited::new(MAX_FRAME_LEN), &options[0], &items[0]);
    }

    /// `Lines` gives the same items and bytes in `WsFramed` and in `Framed`.
    #[test]
    fn lines_match_framed(options in [options(), options()], items in lists(line().boxed())) {
        check_pairings(|| Lines::new(MAX_FRAME_LEN), &options, &items);
        check_bytes(|| Lines::new(MAX_FRAME_LEN), &options[0], &items[0]);
    }
}

/// Values of many shapes, for the codecs that use serde.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Value {
    Nothing,
    Number(i64),
    Text(String),
    List(Vec<u32>),
    Pair {
        left: Option<Box<Value>>,
        right: (u8, f64),
    },
}

fn value() -> impl Strategy<Value = Value> + Clone {
    let leaf = prop_oneof![
        Just(Value::Nothing),
        any::<i64>().prop_map(Value::Number),
        // A kilobyte and a little, so that it spans messages and stays under the limit.
        (0..1400_usize).prop_map(|len| Value::Text("x".repeat(len))),
        proptest::collection::vec(any::<u32>(), 0..100).prop_map(Value::List),
    ];
    let inner = leaf.clone().prop_map(Box::new);
    let pair =
        (proptest::option::of(inner), any::<u8>(), -1e9..1e9_f64).prop_map(|(left, byte, real)| {
            Value::Pair {
                left,
                right: (byte, real),
            }
        });
    prop_oneof![leaf, pair].boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// `Bincode` gives the same items and bytes in `WsFramed` and in `Framed`.
    #[test]
    fn bincode_matches_framed(options in [options(), options()], items in lists(value())) {
        check_pairings(|| Bincode::<Value>::new(MAX_FRAME_LEN), &options, &items);
        check_bytes(|| Bincode::<Value>::new(MAX_FRAME_LEN), &options[0], &items[0]);
    }

    /// `Json` gives the same items and bytes in `WsFramed` and in `Framed`.
    #[test]
    fn json_matches_framed(options in [options(), options()], items in lists(value())) {
        check_pairings(|| Json::<Value>::new(MAX_FRAME_LEN), &options, &items);
        check_bytes(|| Json::<Value>::new(MAX_FRAME_LEN), &options[0], &items[0]);
    }

    /// `Cbor` gives the same items and bytes in `WsFramed` and in `Framed`.
    #[test]
    fn cbor_matches_framed(options in [options(), options()], items in lists(value())) {
        check_pairings(|| Cbor::<Value>::new(MAX_FRAME_LEN), &options, &items);
        check_bytes(|| Cbor::<Value>::new(MAX_FRAME_LEN), &options[0], &items[0]);
    }

    /// `Postcard` gives the same items and bytes in `WsFramed` and in `Framed`.
    #[test]
    fn postcard_matches_framed(options in [options(), options()], items in lists(value())) {
        check_pairings(|| Postcard::<Value>::new(MAX_FRAME_LEN), &options, &items);
        check_bytes(|| Postcard::<Value>::new(MAX_FRAME_LEN), &options[0], &items[0]);
    }
}
