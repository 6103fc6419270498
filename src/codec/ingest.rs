//! The messages and stubs of `flinkbridge.ingest.v1`, generated from `proto/`; what each says is told there.
//!
//! They stand here, below both ends of the stream: `api/grpc` answers with them, `forward/grpc` asks with them.

#![allow(
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::missing_errors_doc,
    clippy::allow_attributes_without_reason,
    clippy::cast_possible_truncation,
    reason = "generated"
)]

include!(concat!(env!("OUT_DIR"), "/flinkbridge.ingest.v1.rs"));

/// The files of all our gRPC services, as reflection shows them.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/flinkbridge.bin"));
