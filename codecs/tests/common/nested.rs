//! Types that nest, with as little as a byte a level.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct List {
    pub(crate) id: u8,
    pub(crate) next: Option<Box<List>>,
}

#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
pub(crate) enum Chain {
    #[default]
    End,
    New(Box<Chain>),
    Tuple(u8, Box<Chain>),
    Struct {
        name: String,
        next: Box<Chain>,
    },
}

#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Tree(pub(crate) Vec<Tree>);

#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Map {
    pub(crate) entries: BTreeMap<u8, Map>,
}

#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Mixed(pub(crate) Option<(u8, Box<Mixed>)>);
