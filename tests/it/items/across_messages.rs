//! Items that begin in one message and end in another, wherever the messages are cut.

use std::panic::AssertUnwindSafe;

use futures::{FutureExt, SinkExt, StreamExt, future};
use proptest::{collection::vec, prelude::*};
use support::{config_without_keepalive, pair_with, run};
use ws_framed::{
    CloseFrame, CodecError, Decoder, Message,
    bytes::{Buf, BytesMut},
};

/// What a peer sends, and where it cuts that into messages.
#[derive(Clone, Debug)]
struct Input {
    bytes: Vec<u8>,
    cuts: Vec<usize>,
}

fn input() -> impl Strategy<Value = Input> {
    let len = prop_oneof![0..20_usize, 200..300_usize, 0..3000_usize, 0..50_000_usize];
    let end = prop_oneof![8 => Just(0), 1 => Just(1), 1 => Just(2)];
    let cut = prop_oneof![
        1..10_usize,
        1..600_usize,
        1..5000_usize,
        16_000..65_000_usize
    ];
    // One long cut at least: the decoder looks at all that there is for each message.
    let cuts = (vec(cut, 1..20), 5000..65_000_usize);
    (vec((len, end), 1..30), cuts).prop_map(|(items, (mut cuts, long))| {
        cuts.push(long);
        let bytes = items
            .into_iter()
            .zip(10..)
            .flat_map(|((len, end), byte)| std::iter::repeat_n(byte, len).chain([end]));
        Input {
            bytes: bytes.collect(),
            cuts,
        }
    })
}

/// A decoder for bytes up to a zero. A one is an error that takes all up to it, a two is an error
/// that takes nothing.
#[derive(Clone, Debug)]
struct ZeroEnded {
    /// How many bytes must be there behind an item.
    ahead: usize,
    /// How much room is made for the rest of an item.
    reserved: usize,
    /// What was taken of an item before its end was there; `None` if that is left in the buffer.
    taken: Option<Vec<u8>>,
}

impl Decoder for ZeroEnded {
    type Item = Vec<u8>;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Vec<u8>>, CodecError> {
        let end = src.iter().position(|byte| *byte < 3);
        let ready = end.filter(|end| src.len() > end + self.ahead);
        let Some(end) = ready else {
            if let (Some(taken), None) = (&mut self.taken, end) {
                taken.extend_from_slice(&src.split());
            }
            src.reserve(self.reserved);
            return Ok(None);
        };
        let refused = match src[end] {
            0 => None,
            1 => Some("taken"),
            _ => return Err(CodecError::Malformed("left".into())),
        };
        let mut item = self.taken.as_mut().map_or_else(Vec::new, std::mem::take);
        item.extend_from_slice(&src.split_to(end));
        src.advance(1);
        refused.map_or(Ok(Some(item)), |why| Err(CodecError::Malformed(why.into())))
    }
}

type Decoded = Result<Vec<u8>, String>;

/// What the decoder makes of all bytes at once.
fn at_once(decoder: &mut ZeroEnded, bytes: &[u8]) -> Vec<Decoded> {
    let mut bytes = BytesMut::from(bytes);
    let mut all = Vec::new();
    loop {
        let before = bytes.len();
        match decoder.decode(&mut bytes) {
            Ok(None) => return all,
            Ok(Some(item)) => all.push(Ok(item)),
            Err(error) => {
                all.push(Err(error.to_string()));
                if bytes.len() == before {
                    return all;
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// A decoder gets the same bytes as if nothing had cut them, whether it makes room for the rest
    /// of an item, looks at what follows one, takes a part of one, takes what it refuses, or leaves it.
    #[test]
    fn cuts_make_no_difference(
        Input { bytes, cuts } in input(),
        ahead in prop_oneof![2 => Just(0_usize), 1 => 0..1000_usize],
        reserved in prop_oneof![Just(0_usize), 1..300_usize, Just(20_000)],
        takes in any::<bool>(),
    ) {
        let decoder = ZeroEnded { ahead, reserved, taken: takes.then(Vec::new) };
        let expected = at_once(&mut decoder.clone(), &bytes);
        let decoded = run(async {
            let config = config_without_keepalive();
            let (peer, us) = pair_with(config.clone(), config).await;
            let mut peer = peer.messages();
            let sending = async {
                let mut left = &bytes[..];
                for cut in cuts.iter().cycle() {
                    let (message, rest) = left.split_at(left.len().min(*cut));
                    let message = Message::Binary(message.to_vec().into());
                    // The other end may have closed after all that is expected.
                    if rest.is_empty() || peer.feed(message.clone()).await.is_err() {
                        let _ = peer.send(message).await;
                        break;
                    }
                    left = rest;
                }
                // It closes once it has all of them, which do not wait for the end.
                while peer.next().await.is_some_and(|next| next.is_ok()) {}
            };
            let mut items = us.framed(decoder);
            let receiving = async {
                let mut all: Vec<Decoded> = Vec::new();
                while all.len() < expected.len() {
                    let Some(next) = items.next().await else { break };
                    all.push(next.map_err(|error| error.to_string()));
                }
                let _ = items.close_with(CloseFrame::normal()).await;
                all
            };
            future::join(receiving, sending).await.0
        });
        prop_assert_eq!(decoded, expected);
    }
}

/// Panics at the first item that has as many bytes as it says.
struct PanicsAt(usize);

impl Decoder for PanicsAt {
    type Item = usize;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<usize>, CodecError> {
        let Some(end) = src.iter().position(|byte| *byte == 0) else {
            return Ok(None);
        };
        src.advance(end + 1);
        assert_ne!(
            end,
            std::mem::replace(&mut self.0, usize::MAX),
            "on purpose"
        );
        Ok(Some(end))
    }
}

/// A decoder that panics at an item of two messages has taken that item, and all that follow are
/// received.
#[test]
fn panic_loses_only_its_item() {
    run(async {
        let config = config_without_keepalive();
        let (peer, us) = pair_with(config.clone(), config).await;
        let (mut peer, mut us) = (peer.messages(), us.framed(PanicsAt(100)));
        let mut second = vec![7; 60];
        second.extend([0, 7, 0].repeat(1000));
        for message in [vec![7; 40], second] {
            peer.send(Message::Binary(message.into())).await.unwrap();
        }
        AssertUnwindSafe(us.next())
            .catch_unwind()
            .await
            .unwrap_err();
        for n in 0..1999 {
            assert_eq!(us.next().await.unwrap().unwrap(), (n + 1) % 2);
        }
    });
}

/// Deciphers all that is there, once, and takes blocks of it.
struct Deciphers {
    done: usize,
}

impl Deciphers {
    const BLOCK: usize = 200;
    const KEY: u8 = 0x55;
}

impl Decoder for Deciphers {
    type Item = BytesMut;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<BytesMut>, CodecError> {
        src[self.done..]
            .iter_mut()
            .for_each(|byte| *byte ^= Self::KEY);
        self.done = src.len();
        if src.len() < Self::BLOCK {
            return Ok(None);
        }
        self.done -= Self::BLOCK;
        Ok(Some(src.split_to(Self::BLOCK)))
    }
}

/// A decoder may change what it leaves in the buffer: it finds the same there the next time.
#[test]
fn decoder_may_decipher_in_place() {
    run(async {
        let config = config_without_keepalive();
        let (peer, us) = pair_with(config.clone(), config).await;
        let mut peer = peer.messages();
        let mut us = us.framed(Deciphers { done: 0 });
        let plain: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
        let ciphered: Vec<u8> = plain.iter().map(|byte| byte ^ Deciphers::KEY).collect();
        for message in ciphered.chunks(1010) {
            let message = Message::Binary(message.to_vec().into());
            peer.send(message).await.unwrap();
        }
        for block in plain.chunks(Deciphers::BLOCK) {
            assert_eq!(us.next().await.unwrap().unwrap(), block);
        }
    });
}
