//! Deadlines: keepalive, timeouts, and what a task that is polled late still gets.

mod coop_budget;
mod deadlines;
mod write_timeout;
