//! Much, in large pieces and in small ones.

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, TryStreamExt, try_join};
use protocol::pattern;
use wasm_bindgen_test::wasm_bindgen_test;
use ws_framed::Bincode;

use super::open;

const MANY: u32 = 100_000;

#[wasm_bindgen_test]
async fn sixteen_mebibytes_each_way() {
    let sent = pattern(16 * 1024 * 1024);
    let (mut reader, mut writer) = open("/echo").await.split();
    let mut received = vec![0; sent.len()];
    let write = async {
        writer.write_all(&sent).await?;
        writer.flush().await
    };
    try_join!(write, reader.read_exact(&mut received)).unwrap();
    assert!(received == sent, "the bytes differ");
}

/// A hundred thousand small messages arrive in order, each way.
#[wasm_bindgen_test]
async fn many_small_messages_each_way() {
    let framed = open("/small").await.framed(Bincode::<u32, u32>::new(16));
    let handle = framed.handle();
    let (mut sink, mut items) = framed.split();
    let send = async {
        for item in 0..MANY {
            sink.send(item).await?;
        }
        Ok(())
    };
    let receive = async {
        for expected in 0..MANY {
            assert_eq!(items.try_next().await?, Some(expected));
        }
        Ok::<_, ws_framed::CodecError>(())
    };
    try_join!(send, receive).unwrap();
    let stats = handle.stats();
    assert_eq!(stats.messages_sent, u64::from(MANY), "one message an item");
    assert_eq!(stats.messages_received, u64::from(MANY));
}
