//! Generates the remote-write messages that tests decode with (`$OUT_DIR/prometheus.rs`); needs no `protoc`.
//!
//! The program itself encodes by hand and never sees these types.

use std::error::Error;

const WRITE_V1: &str = "prometheus/write_v1.proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile([WRITE_V1], ["proto"])?;
    prost_build::Config::new().compile_fds(descriptors)?;
    Ok(())
}
