//! Codecs in `asynchronous_codec::Framed`, over a byte stream in memory.

use asynchronous_codec::{Framed, FramedParts};
use futures::{SinkExt, StreamExt, TryStreamExt, executor::block_on, io::Cursor};
use ws_framed_codecs::CodecError;

use crate::common::{AMPLE, Subject};

crate::for_every_codec! {
    crate::streams:
    items_pass_through_a_stream,
    truncated_stream_is_an_error,
}

/// The bytes that a sender of these items writes.
fn sent<S: Subject>(items: Vec<S::Item>) -> Vec<u8> {
    let mut framed = Framed::new(Cursor::new(Vec::new()), S::codec(AMPLE));
    block_on(async {
        for item in items {
            framed.send(item).await.unwrap();
        }
        SinkExt::<S::Item>::close(&mut framed).await.unwrap();
    });
    let FramedParts { io, .. } = framed.into_parts();
    io.into_inner()
}

/// `asynchronous_codec::Framed` carries items through a byte stream that takes several reads.
fn items_pass_through_a_stream<S: Subject>() {
    // They take more than one read.
    let items: Vec<_> = std::iter::repeat_with(S::items)
        .take(80)
        .flatten()
        .collect();
    let wire = sent::<S>(items.clone());
    assert!(wire.len() > 20_000);

    let framed = Framed::new(Cursor::new(wire), S::codec(AMPLE));
    let received: Vec<_> = block_on(framed.try_collect()).unwrap();
    assert_eq!(received, items);
}

/// A stream that ends inside a frame yields `UnexpectedEof`. `Lines` yields the rest as its last
/// line.
fn truncated_stream_is_an_error<S: Subject>() {
    let mut wire = sent::<S>(vec![S::item_of(9), S::item_of(20)]);
    wire.truncate(wire.len() - 3);
    let part = wire[9 + S::OVERHEAD..].to_vec();

    let mut framed = Framed::new(Cursor::new(wire), S::codec(AMPLE));
    block_on(async {
        assert_eq!(framed.next().await.unwrap().unwrap(), S::item_of(9));
        match S::at_the_end(&part) {
            Some(item) => assert_eq!(framed.next().await.unwrap().unwrap(), item),
            None => match framed.next().await.unwrap() {
                Err(CodecError::Io(error)) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
                }
                other => panic!("{other:?}"),
            },
        }
    });
}
