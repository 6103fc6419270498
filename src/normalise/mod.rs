//! Label rules.
mod config;
pub use config::{LabelLimits, RuleConfig, RulesConfig};
