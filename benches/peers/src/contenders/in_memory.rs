//! No socket: values that are encoded in one task and decoded in another. What remains of a
//! contender's figure is its own.

use bincode::{
    config::standard,
    serde::{decode_from_slice, encode_into_std_write},
};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::sync::mpsc;

use super::{Carrier, End};
use crate::{Result, value::Value};

/// How much is passed at once: what fits into the second-level cache of most processors twice.
const CHUNK_LEN: usize = 64 * 1024;

/// One end of two pipes of whole values.
pub(crate) struct Items {
    fed: BytesMut,
    sender: mpsc::Sender<Bytes>,
    receiver: mpsc::Receiver<Bytes>,
    received: Bytes,
}

impl End for Items {
    async fn pair() -> Result<(Self, Self)> {
        let (to_server, at_server) = mpsc::channel(1);
        let (to_client, at_client) = mpsc::channel(1);
        let end = |sender, receiver| Self {
            fed: BytesMut::with_capacity(2 * CHUNK_LEN),
            sender,
            receiver,
            received: Bytes::new(),
        };
        Ok((end(to_server, at_client), end(to_client, at_server)))
    }
}

impl<V: Value> Carrier<V> for Items {
    async fn feed(&mut self, value: V) -> Result<()> {
        encode_into_std_write(&value, &mut (&mut self.fed).writer(), standard())?;
        if self.fed.len() < CHUNK_LEN {
            return Ok(());
        }
        Carrier::<V>::flush(self).await
    }

    async fn flush(&mut self) -> Result<()> {
        self.sender.send(self.fed.split().freeze()).await?;
        // Reuses the memory of what was decoded meanwhile.
        self.fed.reserve(2 * CHUNK_LEN);
        Ok(())
    }

    async fn next(&mut self) -> Result<V> {
        while self.received.is_empty() {
            self.received = self.receiver.recv().await.ok_or("the other end is gone")?;
        }
        let (value, len) = decode_from_slice(&self.received, standard())?;
        self.received.advance(len);
        Ok(value)
    }
}
