//! Bodies that are packed.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::beside::request::{PROTOBUF, Request};
use crate::beside::{Deliberate, Scenario, get, put};

const J: &str = "/metrics/job/j";
const BODY: &[u8] = b"# TYPE a gauge\na{x=\"y\"} 1\n";

pub(super) const ENCODINGS: &[Scenario] = &[
    Scenario::new(
        "M02: gzip, in any letters",
        &[
            Request::made("PUT", J, gzip).packed("gzip"),
            Request::made("POST", "/metrics/job/k", gzip).packed("GZIP"),
        ],
    ),
    Scenario::new(
        "M02: framed snappy",
        &[Request::made("PUT", J, snappy).packed("snappy")],
    ),
    Scenario::new("M02: nothing at all", &[put(J, "a 1\n").packed("")]),
    Scenario::new(
        "B30: gzip cut off",
        &[Request::made("PUT", J, gzip_cut).packed("gzip")],
    ),
    Scenario::new("B30: gzip that is none", &[put(J, "a 1\n").packed("gzip")]),
    Scenario::new(
        "B30: snappy cut off",
        &[Request::made("PUT", J, snappy_cut).packed("snappy")],
    ),
    Scenario::new(
        "B30: a block of snappy",
        &[Request::made("PUT", J, snappy_block).packed("snappy").but(
            Deliberate::BodyThatIsNotPackedAsItSays,
            400,
            400,
        )],
    ),
    Scenario::new("B30: snappy that is none", &[put(J, "a 1\n").packed("snappy")]),
    Scenario::new(
        "B30: gzip within gzip",
        &[Request::made("PUT", J, gzip)
            .packed("gzip, gzip")
            .but(Deliberate::UnknownEncoding, 400, 415)],
    ),
    Scenario::new(
        "B30: an encoding that nobody knows",
        &[put(J, "a 1\n")
            .packed("br")
            .but(Deliberate::UnknownEncoding, 200, 415)],
    )
    .but(Deliberate::UnknownEncoding),
    Scenario::new("B30: identity", &[put(J, "a 1\n").packed("identity")]),
    Scenario::new(
        "B30: deflate",
        &[Request::made("PUT", J, deflate)
            .packed("deflate")
            .but(Deliberate::MoreEncodings, 400, 200)],
    )
    .but(Deliberate::MoreEncodings),
    Scenario::new(
        "B30: text that says it is zstd",
        &[put(J, "a 1\n")
            .packed("zstd")
            .but(Deliberate::BodyThatIsNotPackedAsItSays, 200, 400)],
    )
    .but(Deliberate::BodyThatIsNotPackedAsItSays),
    Scenario::new(
        "B31: a deletion that says it is packed",
        &[put(J, "a 1\n"), Request::new("DELETE", J, "").packed("gzip")],
    ),
    Scenario::new(
        "B33: how what is shown can be asked for",
        &[
            put(J, "# TYPE a gauge\na 1\n"),
            get("/metrics").comparing(KIND),
            get("/metrics").accepting("text/plain").comparing(KIND),
            get("/metrics").accepting("*/*").comparing(KIND),
            get("/metrics").accepting("application/json").comparing(KIND),
            get("/metrics").accepting(PROTOBUF).comparing(KIND),
            get("/metrics")
                .accepting("text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
                .comparing(KIND),
            get("/metrics")
                .with(&[("Accept-Encoding", "gzip")])
                .comparing(PACKING),
            get("/metrics")
                .with(&[("Accept-Encoding", "gzip;q=0")])
                .comparing(PACKING),
            get("/metrics")
                .with(&[("Accept-Encoding", "br, gzip;q=0.5")])
                .comparing(PACKING),
            get("/metrics")
                .with(&[("Accept-Encoding", "identity")])
                .comparing(PACKING),
        ],
    ),
];

const KIND: &[&str] = &["content-type"];
const PACKING: &[&str] = &["content-type", "content-encoding"];

fn gzip() -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(BODY).expect("memory");
    packed.finish().expect("memory")
}

fn gzip_cut() -> Vec<u8> {
    let mut packed = gzip();
    packed.truncate(packed.len() / 2);
    packed
}

fn deflate() -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(BODY).expect("memory");
    packed.finish().expect("memory")
}

fn snappy() -> Vec<u8> {
    let mut packed = snap::write::FrameEncoder::new(Vec::new());
    packed.write_all(BODY).expect("memory");
    packed.into_inner().expect("memory")
}

fn snappy_cut() -> Vec<u8> {
    let mut packed = snappy();
    packed.truncate(packed.len() - 3);
    packed
}

fn snappy_block() -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(BODY).expect("memory")
}
