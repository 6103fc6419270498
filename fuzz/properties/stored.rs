//! What is read from disk: damage has a checksum against it, but whoever can write the checksum must not harm us either.

use std::time::Duration;

use bytes::Bytes;
use flinkbridge::codec::DecodeError;
use flinkbridge::codec::block::{Block, BlockBuilder, Content, EncodedSeries, OpenBlock, join};
use flinkbridge::codec::record::Record;
use flinkbridge::model::UnixMillis;
use flinkbridge::registry::{Event, Registry, RetentionConfig};

/// Longest block that is opened here, so that a false length costs no time.
const MAX_RAW_BYTES: u64 = 1 << 20;

const NOW: UnixMillis = UnixMillis::new(1_795_000_000_000);

/// A block: what it holds can be encoded again, and joined.
pub(crate) fn block(bytes: &[u8]) {
    let block = Block::from_parts(1, Bytes::copy_from_slice(bytes));
    let Some(opened) = open(&block) else { return };
    let Ok(series) = opened.series().collect::<Result<Vec<_>, _>>() else {
        return;
    };
    let Some(rebuilt) = rebuild(&series) else { return };
    let again = rebuilt.open().expect("a block of our own opens");
    let again: Vec<EncodedSeries<'_>> = again
        .series()
        .map(|one| one.expect("a series of our own"))
        .collect();
    assert_eq!(again.len(), series.len());
    for (one, other) in again.iter().zip(&series) {
        assert_eq!((one.labels(), one.at), (other.labels(), other.at));
        match (one.content, other.content) {
            (Content::Sample(one), Content::Sample(other)) => assert_eq!(one.to_bits(), other.to_bits()),
            (one, other) => assert_eq!(one, other),
        }
    }
    let joined = join([&rebuilt, &rebuilt]).expect("blocks of our own join");
    let joined = Block::from_parts(0, joined.into())
        .open()
        .expect("joined blocks open");
    assert_eq!(joined.series().filter(Result::is_ok).count(), 2 * series.len());
}

/// A record: comes out as it went in; what it tells the registry survives a snapshot.
pub(crate) fn record(bytes: &[u8]) {
    let Ok(record) = Record::decode(Bytes::copy_from_slice(bytes)) else {
        return;
    };
    assert!(bytes.starts_with(&record.encode()), "a record changed");
    let Ok(event) = Event::decode(&record.event) else {
        return;
    };
    assert_eq!(Event::decode(&event.encode()), Ok(event.clone()));
    if !record.samples.is_empty() && open(&record.samples).is_none() {
        return;
    }
    let mut registry = Registry::new(RetentionConfig::default(), 7, NOW);
    for _ in 0..2 {
        if registry.replay(&record).is_err() {
            return;
        }
    }
    let snapshot = registry.snapshot(3).pieces().flatten().collect::<Vec<u8>>();
    let restored = Registry::restore(RetentionConfig::default(), &snapshot, NOW);
    let (mut restored, position) = restored.expect("a snapshot of our own is read");
    assert_eq!((position, restored.summary()), (3, registry.summary()));
    let much_later = NOW.after(Duration::from_secs(100 * 3600));
    for key in restored.due(much_later) {
        if let Ok(Some(change)) = restored.plan_sweep(&key, much_later) {
            restored.apply(change).expect("a change of its own is applied");
        }
    }
}

fn open(block: &Block) -> Option<OpenBlock> {
    (claimed_bytes(block.bytes()) <= MAX_RAW_BYTES).then(|| block.open().ok())?
}

/// The length before a snappy body: a varint.
fn claimed_bytes(snappy: &[u8]) -> u64 {
    let bytes = snappy.iter().take(10).enumerate();
    let mut claimed = 0_u64;
    for (at, byte) in bytes {
        claimed |= u64::from(byte & 0x7f)
            .checked_shl(7 * u32::try_from(at).unwrap_or(9))
            .unwrap_or(u64::MAX);
        if byte & 0x80 == 0 {
            break;
        }
    }
    claimed
}

fn rebuild(series: &[EncodedSeries<'_>]) -> Option<Block> {
    let mut builder = BlockBuilder::new(7);
    for one in series {
        let labels: Result<_, DecodeError> = one.labels();
        builder.copy_as(&labels.ok()?, one);
    }
    Some(builder.finish())
}
