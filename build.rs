//! Generates our gRPC messages and services (`$OUT_DIR/flinkbridge.ingest.v1.rs`, and `$OUT_DIR/flinkbridge.bin` for
//! reflection), and the messages of Prometheus that tests encode and decode with (`$OUT_DIR/prometheus.rs` and
//! `$OUT_DIR/io.prometheus.write.v2.rs` for remote-write, `$OUT_DIR/io.prometheus.client.rs` for pushes in protobuf);
//! needs no `protoc`.
//!
//! The program itself encodes and decodes Prometheus' messages by hand and never sees those types.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

const OURS: &str = "flinkbridge/ingest/v1/remote_write.proto";
const WRITE_V1: &str = "prometheus/write_v1.proto";
const WRITE_V2: &str = "prometheus/write_v2.proto";
const METRICS: &str = "prometheus/metrics.proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile([WRITE_V1, WRITE_V2, METRICS], ["proto"])?;
    prost_build::Config::new().compile_fds(descriptors)?;

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_files([OURS])?;
    tonic_prost_build::configure()
        .build_transport(false)
        .bytes(".flinkbridge.ingest.v1.Message.body")
        .compile_fds(compiler.file_descriptor_set())?;
    // comments would be most of it, and no client asks for them
    compiler.include_source_info(false);
    let folder = env::var("OUT_DIR")?;
    fs::write(
        Path::new(&folder).join("flinkbridge.bin"),
        compiler.encode_file_descriptor_set(),
    )?;
    Ok(())
}
