//! The way out.
mod config;
pub use config::{Auth, BatchConfig, RemoteConfig, Secret, TlsConfig};
