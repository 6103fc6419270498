//! Groups and their endings.
mod config;
pub use config::RetentionConfig;
