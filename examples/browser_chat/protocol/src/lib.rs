//! What the page and the server of the chat say to each other: the types, the codec and its limit,
//! once.

use serde::{Deserialize, Serialize};
use ws_framed::{Postcard, WsFramed, WsStream};

/// No message is longer than this, in bytes, in either direction.
const MAX_FRAME_LEN: usize = 16 * 1024;

/// Names and texts are cut to this many characters.
pub const MAX_NAME_LEN: usize = 24;
pub const MAX_TEXT_LEN: usize = 1000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromPage {
    /// The first message of all.
    Join {
        name: String,
    },
    Say {
        text: String,
    },
    /// A page cannot send a WebSocket ping, so it asks in its own words.
    AreYouThere {
        token: u32,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromServer {
    /// The first message of all: the receiver's own number. Names need not differ.
    Welcome {
        you: u64,
    },
    /// Who is in the room, the receiver among them, in the order of their coming.
    Present {
        names: Vec<String>,
    },
    Joined {
        name: String,
    },
    Left {
        name: String,
    },
    Said {
        by: u64,
        name: String,
        text: String,
    },
    IAmHere {
        token: u32,
    },
}

/// What the page holds, and what the server holds: a WebSocket of typed messages.
pub type PageSide = WsFramed<FromServer, Postcard<FromServer, FromPage>>;
pub type ServerSide = WsFramed<FromPage, Postcard<FromPage, FromServer>>;

#[must_use]
pub fn page_side(stream: WsStream) -> PageSide {
    stream.framed(Postcard::new(MAX_FRAME_LEN))
}

#[must_use]
pub fn server_side(stream: WsStream) -> ServerSide {
    stream.framed(Postcard::new(MAX_FRAME_LEN))
}

/// At most `max` characters, without white space around them.
#[must_use]
pub fn cut(text: &str, max: usize) -> String {
    let text: String = text.trim().chars().take(max).collect();
    text.trim_end().to_owned()
}
