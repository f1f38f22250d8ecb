//! The byte stream: reading, writing, flushing, wakeups.

mod flush;
mod read;
mod two_tasks;
mod wakeups;
mod write;
