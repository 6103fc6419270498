//! The messages as `proto/` defines them, for tests to encode and decode with.

macro_rules! generated {
    ($name:ident, $file:literal) => {
        pub(crate) mod $name {
            #![allow(
                missing_docs,
                dead_code,
                clippy::all,
                clippy::pedantic,
                unreachable_pub,
                reason = "generated"
            )]
            include!(concat!(env!("OUT_DIR"), "/", $file));
        }
    };
}

generated!(client, "io.prometheus.client.rs");
generated!(write_v1, "prometheus.rs");
generated!(write_v2, "io.prometheus.write.v2.rs");
