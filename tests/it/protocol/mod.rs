//! What a peer may send, and what it may not (RFC 6455 sections 5 to 8).

mod floods;
mod frames;
mod limits;
mod text;
mod violations;
