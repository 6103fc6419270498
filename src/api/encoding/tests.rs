use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

const PLAIN: &[u8] = b"a 1\nb{c=\"d\"} 2\n";

/// A push of Flink, and what the zstd command makes of it: from a pipe at level 3, from a file at level 19.
const FLINK: &[u8] = include_bytes!("../../../tests/fixtures/flink/1.20.5/base/0001.req");
const FLINK_BY_ZSTD: [&[u8]; 2] = [
    include_bytes!("../../../tests/fixtures/zstd/pipe-3.zst"),
    include_bytes!("../../../tests/fixtures/zstd/file-19.zst"),
];

const PACKED: [Encoding; 4] = [
    Encoding::Gzip,
    Encoding::Deflate,
    Encoding::Zstd,
    Encoding::Snappy,
];

/// `PLAIN` as the zstd command packs it from a pipe: no length, a checksum.
const BY_ZSTD: [u8; 28] = [
    0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x79, 0x00, 0x00, 0x61, 0x20, 0x31, 0x0a, 0x62, 0x7b, 0x63, 0x3d,
    0x22, 0x64, 0x22, 0x7d, 0x20, 0x32, 0x0a, 0x8f, 0x03, 0x58, 0x26,
];

fn packed(encoding: Encoding, plain: &[u8]) -> Vec<u8> {
    match encoding {
        Encoding::Identity => plain.to_vec(),
        Encoding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Encoding::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Encoding::Zstd => compress_to_vec(plain, CompressionLevel::Fastest),
        Encoding::Snappy => {
            let mut encoder = snap::write::FrameEncoder::new(Vec::new());
            encoder.write_all(plain).unwrap();
            encoder.into_inner().unwrap()
        }
    }
}

fn bare_deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// What comes out, or the sentence of the refusal.
fn unpacked(encoding: Encoding, sent: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    // a body may be longer than what comes out of it, but not than its own limit
    let mut held = Held::new(
        &Arc::default(),
        super::super::body::Limit {
            bytes: limit.max(sent.len()),
            key: "the test",
        },
    );
    held.push(sent, |limit| BodyError::TooLong { limit }).unwrap();
    held.limit_to(limit);
    let plain = encoding.unpack(&held).map_err(|error| error.to_string())?;
    Ok(plain.bytes().to_vec())
}

#[track_caller]
fn refuses(encoding: Encoding, sent: &[u8], problem: &str) {
    let refusal = unpacked(encoding, sent, 100).unwrap_err();
    assert!(refusal.contains(problem), "{encoding:?} {sent:?}: {refusal}");
}

#[test]
fn a_body_comes_out_as_it_was() {
    let long: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    for encoding in PACKED {
        assert_eq!(
            unpacked(encoding, &packed(encoding, PLAIN), PLAIN.len()).unwrap(),
            PLAIN
        );
        assert_eq!(
            unpacked(encoding, &packed(encoding, &long), long.len()).unwrap(),
            long
        );
    }
    assert_eq!(unpacked(Encoding::Zstd, &BY_ZSTD, 100).unwrap(), PLAIN);
    assert_eq!(
        unpacked(Encoding::Deflate, &bare_deflate(PLAIN), 100).unwrap(),
        PLAIN
    );
}

#[test]
fn what_the_zstd_command_packs_comes_out_as_it_was() {
    for by_zstd in FLINK_BY_ZSTD {
        assert_eq!(unpacked(Encoding::Zstd, by_zstd, FLINK.len()).unwrap(), FLINK);
    }
}

#[test]
fn frames_in_a_row_are_one_body() {
    for encoding in [Encoding::Gzip, Encoding::Zstd, Encoding::Snappy] {
        let twice = packed(encoding, b"a 1\n").repeat(2);
        assert_eq!(
            unpacked(encoding, &twice, 100).unwrap(),
            b"a 1\na 1\n",
            "{encoding:?}"
        );
    }
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 7, 7, 7], &BY_ZSTD[..]].concat();
    assert_eq!(unpacked(Encoding::Zstd, &skipped, 100).unwrap(), PLAIN);
}

#[test]
fn b30_a_body_that_is_not_packed_as_it_says_is_refused() {
    for encoding in PACKED {
        refuses(encoding, PLAIN, "stream that Content-Encoding says");
        refuses(encoding, b"a", "stream that Content-Encoding says");
    }
    let block = snap::raw::Encoder::new().compress_vec(PLAIN).unwrap();
    refuses(
        Encoding::Snappy,
        &block,
        "the body is not the framed snappy stream",
    );
}

#[test]
fn an_empty_body_is_only_a_snappy_stream() {
    for encoding in [Encoding::Gzip, Encoding::Deflate, Encoding::Zstd] {
        refuses(encoding, b"", "stream that Content-Encoding says");
    }
    assert_eq!(unpacked(Encoding::Snappy, b"", 100).unwrap(), b"");
}

#[test]
fn a_body_cut_anywhere_is_refused() {
    for encoding in PACKED {
        let whole = packed(encoding, PLAIN);
        for end in 1..whole.len() {
            // the snappy format says nowhere how long it is
            let is_whole_chunk = encoding == Encoding::Snappy && end == 10;
            let is_read = unpacked(encoding, &whole[..end], 100).is_ok();
            assert_eq!(is_read, is_whole_chunk, "{encoding:?} cut at {end}");
        }
    }
    for end in 0..BY_ZSTD.len() {
        refuses(Encoding::Zstd, &BY_ZSTD[..end], "zstd stream");
    }
    let bare = bare_deflate(PLAIN);
    for end in 0..bare.len() {
        refuses(Encoding::Deflate, &bare[..end], "deflate stream");
    }
}

#[test]
fn what_follows_a_body_is_refused() {
    for encoding in PACKED {
        let with_more = [&packed(encoding, PLAIN)[..], b"more"].concat();
        refuses(encoding, &with_more, "stream that Content-Encoding says");
    }
}

#[test]
fn a_false_checksum_is_refused() {
    let mut damaged = BY_ZSTD;
    damaged[9] = b'x';

    refuses(Encoding::Zstd, &damaged, "its checksum does not match");
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    for encoding in PACKED {
        let bomb = packed(encoding, &vec![b'a'; 1 << 20]);
        for limit in [1000, (1 << 20) - 1] {
            let refusal = unpacked(encoding, &bomb, limit).unwrap_err();
            assert!(
                refusal.contains("decompresses to more than"),
                "{encoding:?}: {refusal}"
            );
        }
        assert!(unpacked(encoding, &bomb, 1 << 20).is_ok(), "{encoding:?}");
    }
}

#[test]
fn a_zstd_frame_that_claims_a_large_window_is_refused() {
    let claims_128_mib = [
        0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x21, 0x00, 0x00, 0x61, 0x20, 0x31, 0x0a,
    ];

    refuses(Encoding::Zstd, &claims_128_mib, "window");
}

#[test]
fn one_known_encoding_is_understood_and_no_list() {
    let read = |values: &[&str]| {
        let values = values
            .iter()
            .map(|value| (CONTENT_ENCODING, value.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(name, value);
        }
        Encoding::of(&headers).map_err(|error| error.to_string())
    };

    for (value, expected) in [
        ("gzip", Encoding::Gzip),
        ("GZIP", Encoding::Gzip),
        ("identity", Encoding::Identity),
        ("", Encoding::Identity),
        ("deflate", Encoding::Deflate),
        ("zstd", Encoding::Zstd),
        ("Snappy", Encoding::Snappy),
    ] {
        assert_eq!(read(&[value]), Ok(expected), "{value}");
    }
    assert_eq!(read(&[]), Ok(Encoding::Identity));
    for values in [
        &["gzip, gzip"][..],
        &["br"],
        &["identity, gzip"],
        &["gzip", "gzip"],
    ] {
        let refusal = read(values).unwrap_err();
        assert!(refusal.contains(&format!("{:?}", values.join(", "))), "{refusal}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_neither_panic_nor_pass_the_limit(
        sent in proptest::collection::vec(any::<u8>(), 0..300),
        header in prop::sample::select(vec![&b""[..], &[0x28, 0xb5, 0x2f, 0xfd], &[0x1f, 0x8b, 8], &[0x78, 0x9c],
            &[0xff, 6, 0, 0, b's', b'N', b'a', b'P', b'p', b'Y']]),
    ) {
        let sent = [header, &sent].concat();

        for encoding in PACKED {
            if let Ok(plain) = unpacked(encoding, &sent, 50) {
                prop_assert!(plain.len() <= 50);
            }
        }
    }

    #[test]
    fn damaged_bodies_never_panic(
        plain in proptest::collection::vec(any::<u8>(), 0..2000),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        for encoding in PACKED {
            let mut sent = packed(encoding, &plain);
            let at = at.index(sent.len().max(1));
            if let Some(damaged) = sent.get_mut(at) {
                *damaged = byte;
            }

            let _ = unpacked(encoding, &sent, 4000);
        }
    }
}
