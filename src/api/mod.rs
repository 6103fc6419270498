//! The doors.
mod config;
pub use config::DoorConfig;
