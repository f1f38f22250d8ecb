//! The values that are sent, and how those contenders encode them that have no codec of their own.

use bincode::config::standard;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Result;

/// A value that differs from all others, so that it is recognised when it arrives.
pub(crate) trait Value:
    Serialize + DeserializeOwned + Send + Sync + Unpin + 'static
{
    /// The value number `n` of a run, of about `len` bytes.
    fn nth(n: usize, len: usize) -> Self;

    /// Whether this is that value. `thorough`: every byte; else as much as costs nothing.
    fn is_nth(&self, n: usize, len: usize, thorough: bool) -> bool;
}

/// What is sent one after another in great number: about 100 bytes when encoded.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Chat {
    id: u64,
    room: u32,
    at: (f64, f64),
    from: Option<[u16; 2]>,
    text: String,
}

const TEXT: &str = "Typed messages over a WebSocket, all of about a hundred bytes";

impl Value for Chat {
    fn nth(n: usize, _: usize) -> Self {
        Self {
            id: n as u64,
            room: 70_000 + n as u32 % 100,
            at: (n as f64, -0.5),
            from: Some([1234, n as u16]),
            text: TEXT.to_owned(),
        }
    }

    fn is_nth(&self, n: usize, _: usize, _: bool) -> bool {
        self.id == n as u64
            && self.room == 70_000 + n as u32 % 100
            && self.at == (n as f64, -0.5)
            && self.from == Some([1234, n as u16])
            && self.text == TEXT
    }
}

/// A large value. Its bytes are marked as such for serde, as one does with large ones.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Blob {
    id: u64,
    #[serde(with = "serde_bytes")]
    data: Vec<u8>,
}

impl Value for Blob {
    fn nth(n: usize, len: usize) -> Self {
        let mut data = vec![0; len];
        for (i, page) in data.chunks_mut(PAGE).enumerate() {
            page.fill(pattern(n, i));
        }
        Self { id: n as u64, data }
    }

    fn is_nth(&self, n: usize, len: usize, thorough: bool) -> bool {
        let mut pages = self.data.chunks(PAGE).enumerate();
        self.id == n as u64
            && self.data.len() == len
            && pages.all(|(i, page)| {
                let byte = pattern(n, i);
                let seen = if thorough { page } else { &page[..1] };
                seen.iter().all(|seen| *seen == byte)
            })
    }
}

/// How many bytes in a row are the same in a large value, and in a stream of bytes.
pub(crate) const PAGE: usize = 4096;

pub(crate) fn pattern(n: usize, page: usize) -> u8 {
    (n.wrapping_mul(31) ^ page.wrapping_mul(7) ^ (page >> 8)) as u8
}

/// What a server sends to all clients: the members of a room, about 10 KiB when encoded.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    id: u64,
    members: Vec<Chat>,
}

impl Value for Snapshot {
    fn nth(n: usize, len: usize) -> Self {
        Self {
            id: n as u64,
            members: (0..len / 100).map(|i| Chat::nth(i, 0)).collect(),
        }
    }

    fn is_nth(&self, n: usize, len: usize, thorough: bool) -> bool {
        let mut members = self.members.iter().enumerate();
        self.id == n as u64
            && self.members.len() == len / 100
            && (!thorough || members.all(|(i, chat)| chat.is_nth(i, 0, true)))
    }
}

/// What is compressed, in JSON: an order of some products, of at least 200 bytes. Its names repeat,
/// as in any JSON; a third of it is numbers that do not.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    id: u64,
    customer: String,
    products: Vec<Product>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Product {
    name: String,
    code: String,
    price_in_cents: u32,
    quantity: u32,
}

/// About the length of a product in JSON, and of what an order has beside them.
const PRODUCT_LEN: usize = 80;
const ORDER_LEN: usize = 40;

impl Value for Order {
    fn nth(n: usize, len: usize) -> Self {
        let products = (len.max(200) - ORDER_LEN) / PRODUCT_LEN;
        let product = |i: usize| {
            let number = (n * products + i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            Product {
                name: format!("product {}", (number >> 8) % 10_000),
                code: format!("{:08x}", number >> 32),
                price_in_cents: (number >> 20) as u32 % 100_000,
                quantity: (number >> 16) as u32 % 20,
            }
        };
        Self {
            id: n as u64,
            customer: format!("customer {}", n.wrapping_mul(40_503) % 5_000),
            products: (0..products).map(product).collect(),
        }
    }

    fn is_nth(&self, n: usize, len: usize, thorough: bool) -> bool {
        self.id == n as u64 && (!thorough || *self == Self::nth(n, len))
    }
}

pub(crate) fn encode(value: &impl Serialize) -> Result<Vec<u8>> {
    Ok(bincode::serde::encode_to_vec(value, standard())?)
}

pub(crate) fn decode<V: DeserializeOwned>(bytes: &[u8]) -> Result<V> {
    let (value, used) = bincode::serde::decode_from_slice(bytes, standard())?;
    if used == bytes.len() {
        Ok(value)
    } else {
        Err("bytes are left over".into())
    }
}
