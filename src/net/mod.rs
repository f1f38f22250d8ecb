//! Opening connections in the environments that this library knows: one file for each.

#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "hyper")]
pub mod hyper;
#[cfg(feature = "smol")]
pub mod smol;
