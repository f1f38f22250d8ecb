//! How a connection ends: our close, that of the peer, and every end without one.

mod after_violation;
mod close_with;
mod disconnect;
mod ends;
mod late_reads;
mod local;
mod peer;
mod reply;
mod unflushed;
mod write_errors;
