//! Types to read out of hostile bytes.

use std::{
    collections::{BTreeMap, HashSet},
    ffi::CString,
    net::IpAddr,
    num::NonZeroU8,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

/// A message as a protocol may have it. Each of its elements takes at least a byte, so that what
/// was read can be written and read again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Value {
    Nothing,
    Number(i64),
    Pair(u8, f64),
    Text(String),
    Letter(char),
    Record {
        id: u128,
        name: Option<String>,
        tags: Vec<(u16, bool)>,
    },
    Table(BTreeMap<String, Vec<u32>>),
    Inside(Box<Value>),
    Several(Vec<Value>),
    Maybe(Option<Option<Box<Value>>>),
}

/// Recursion with as little as a byte a level.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct List {
    pub(crate) next: Option<Box<List>>,
}

/// Two ways to nest at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Chain {
    End,
    One(Box<Chain>),
    Two(Box<Chain>, Box<Chain>),
    Named { inner: Vec<Chain> },
}

/// Elements that take no bytes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Empty;

/// Types of the standard library, whose `Deserialize` is not ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Std {
    pub(crate) name: CString,
    pub(crate) address: IpAddr,
    pub(crate) count: NonZeroU8,
    pub(crate) waited: Duration,
    pub(crate) at: SystemTime,
    pub(crate) seen: HashSet<u16>,
    pub(crate) result: Result<[u64; 4], String>,
}

/// Shapes that only a format that describes itself can tell apart.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Loose {
    Number(i64),
    Real(f64),
    Text(String),
    List(Vec<Loose>),
    Known {
        id: Option<u8>,
        #[serde(flatten)]
        rest: BTreeMap<String, Loose>,
    },
}
