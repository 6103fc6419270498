use proptest::prelude::*;

use super::*;
use crate::codec::remote_write;

fn set<'a>(labels: &[(&'a str, &'a str)]) -> LabelSet<'a> {
    labels.iter().copied().collect::<LabelDraft>().into_set()
}

fn block_of(series: &[(LabelSet<'_>, f64, i64)]) -> (Block, Vec<SeriesHash>) {
    let mut builder = BlockBuilder::new(7);
    let hashes = series
        .iter()
        .map(|(labels, value, at)| builder.push(labels, *value, UnixMillis::new(*at)))
        .collect();
    (builder.finish(), hashes)
}

fn series_of(body: &[u8]) -> Vec<(String, u64, i64)> {
    let raw = snap::raw::Decoder::new().decompress_vec(body).unwrap();
    let request = remote_write::decode(&raw).unwrap();
    request
        .into_iter()
        .flat_map(|series| {
            let labels = series.labels.into_set().to_string();
            series
                .samples
                .into_iter()
                .map(move |(value, at)| (labels.clone(), value.to_bits(), at.get()))
        })
        .collect()
}

#[test]
fn a_series_has_the_same_identity_in_every_block() {
    let (a, b) = (set(&[("__name__", "a"), ("job", "x")]), set(&[("__name__", "b")]));

    let (_, first) = block_of(&[(a.clone(), 1.0, 1), (b.clone(), 2.0, 1)]);
    let (second, hashes) = block_of(&[(b, 3.0, 2_000_000_000_000), (a, f64::NAN, -1)]);

    assert_eq!(hashes, [first[1], first[0]]);
    let opened = second.open().unwrap();
    let again: Vec<_> = opened.series().map(|series| series.unwrap().hash(7)).collect();
    assert_eq!(again, hashes);
}

#[test]
fn a_block_cut_anywhere_is_an_error_or_shorter_but_never_a_panic() {
    let (block, _) = block_of(&[(set(&[("__name__", "a"), ("job", "xyz")]), 1.0, 1_795_167_715_372)]);
    let raw = block.open().unwrap().raw;

    for end in 0..raw.len() {
        let cut = OpenBlock {
            raw: raw[..end].to_vec(),
        };
        assert!(cut.series().all(|series| series.is_err()));
    }
}

#[test]
fn a_block_of_many_chunks_has_the_bytes_of_one_compression() {
    let values: Vec<String> = (0..3_000)
        .map(|at| format!("{:x}", at * 2_654_435_761_u64))
        .collect();
    let series: Vec<_> = values
        .iter()
        .map(|value| {
            (
                set(&[("__name__", "a"), ("instance", value), ("job", "x")]),
                1.0,
                1_795_167_715_372,
            )
        })
        .collect();

    let (block, _) = block_of(&series);

    let raw = block.open().unwrap().raw;
    assert!(raw.len() > 2 * CHUNK_BYTES);
    assert_eq!(
        block.bytes(),
        &snap::raw::Encoder::new().compress_vec(&raw).unwrap()
    );
}

#[test]
fn only_the_last_series_can_be_taken_back_and_only_once() {
    let (a, b) = (set(&[("__name__", "a")]), set(&[("__name__", "b")]));
    let (expected, _) = block_of(&[(a.clone(), 1.0, 1)]);
    let mut builder = BlockBuilder::new(7);
    builder.push(&a, 1.0, UnixMillis::new(1));
    builder.push(&b, 2.0, UnixMillis::new(1));

    builder.take_back();
    builder.take_back();

    assert_eq!(builder.finish(), expected);
}

proptest! {
    #[test]
    fn joined_blocks_decompress_to_the_series_of_all(
        blocks in proptest::collection::vec(
            proptest::collection::vec(("[a-c]{1,3}", ".{1,40}", any::<u64>(), any::<i64>()), 0..20), 0..6)
    ) {
        let expected: Vec<_> = blocks.iter().flatten().map(|(name, value, bits, at)| {
            (set(&[("__name__", name), ("label", value)]), f64::from_bits(*bits), *at)
        }).collect();
        let encoded: Vec<Block> = blocks.iter().map(|series| {
            let series: Vec<_> = series.iter().map(|(name, value, bits, at)| {
                (set(&[("__name__", name), ("label", value)]), f64::from_bits(*bits), *at)
            }).collect();
            block_of(&series).0
        }).collect();

        let body = join(&encoded).unwrap();

        let expected: Vec<_> =
            expected.into_iter().map(|(labels, value, at)| (labels.to_string(), value.to_bits(), at)).collect();
        prop_assert_eq!(series_of(&body), expected);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Block::from_parts(3, bytes.clone().into()).open().map(|open| open.series().count());
        for series in (OpenBlock { raw: bytes }).series() {
            let _ = series.and_then(|series| series.labels().map(|labels| labels.len()));
        }
    }
}
