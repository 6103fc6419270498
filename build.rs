//! Generates the messages that tests encode and decode with (`$OUT_DIR/prometheus.rs` and
//! `$OUT_DIR/io.prometheus.write.v2.rs` for remote-write,
//! `$OUT_DIR/io.prometheus.client.rs` for pushes in protobuf); needs no `protoc`.
//!
//! The program itself encodes and decodes by hand and never sees these types.

use std::error::Error;

const WRITE_V1: &str = "prometheus/write_v1.proto";
const WRITE_V2: &str = "prometheus/write_v2.proto";
const METRICS: &str = "prometheus/metrics.proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile([WRITE_V1, WRITE_V2, METRICS], ["proto"])?;
    prost_build::Config::new().compile_fds(descriptors)?;
    Ok(())
}
