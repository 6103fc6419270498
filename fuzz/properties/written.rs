//! Remote-write requests: whatever is read can be written and read again, and the counts add up.

use std::collections::HashSet;

use flinkbridge::codec::DecodeError;
use flinkbridge::codec::block::{Block, BlockBuilder, Content, encode_labels};
use flinkbridge::codec::remote_write::{Counts, Limits, Message, Request};
use flinkbridge::model::{Encoded, METRIC_NAME, WrittenSeries};

/// Low, so that limits are met too.
const LIMITS: Limits = Limits {
    max_parts: 2_000,
    max_label_bytes: 64 << 10,
};

/// A request of version 1.0.
pub(crate) fn remote_write_v1(body: &[u8]) {
    any(Message::V1, body);
}

/// A request of version 2.0.
pub(crate) fn remote_write_v2(body: &[u8]) {
    any(Message::V2, body);
}

fn any(message: Message, body: &[u8]) {
    let request = match message.decode(body, &LIMITS) {
        Ok(request) => request,
        Err(DecodeError::TooMany { .. }) => {
            let _ = message.decode(body, &Limits::default());
            return;
        }
        Err(_) => return,
    };
    counts_add_up(&request);
    let mut builder = BlockBuilder::new(7);
    for series in &request.series {
        is_sound(series);
        write(&mut builder, series);
    }
    let wanted = request.series.iter().map(|series| Counts::of(series).weight());
    assert_eq!(u64::from(builder.samples()), wanted.sum::<u64>());
    is_read_again(&builder.finish(), &request);
    is_the_same_unread(message, body, &request);
}

fn counts_add_up(request: &Request<'_>) {
    let flawed = &request.flawed;
    let told: u64 = flawed.first.iter().map(|flaw| flaw.counts.weight()).sum();
    assert!(told <= flawed.counts.weight());
    assert!(flawed.first.len() as u64 <= flawed.number);
    assert_eq!(flawed.is_empty(), flawed.first.is_empty());
    let taken: u64 = request
        .series
        .iter()
        .map(|series| Counts::of(series).weight())
        .sum();
    assert_eq!(request.counts().weight(), taken + flawed.counts.weight());
}

/// What is taken has a name, no label twice and no label without a name.
fn is_sound(series: &WrittenSeries<'_>) {
    let mut names: Vec<&str> = series.labels.iter().map(|(name, _)| name).collect();
    assert!(
        series
            .labels
            .get(METRIC_NAME)
            .is_some_and(|name| !name.is_empty())
    );
    assert!(names.iter().all(|name| !name.is_empty()), "{names:?}");
    names.sort_unstable();
    assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
    assert!(Counts::of(series).weight() > 0 || series.metadata.is_some());
}

/// Labels that are known need not be read, and nothing else changes.
fn is_the_same_unread(message: Message, body: &[u8], request: &Request<'_>) {
    let encoded = |series: &WrittenSeries<'_>| {
        let mut encoded = Vec::new();
        encode_labels(&mut encoded, &series.labels.clone().into_set());
        encoded
    };
    let known: HashSet<Vec<u8>> = request.series.iter().map(encoded).collect();
    let recall = |labels: &[u8]| known.contains(labels).then_some(1);
    let unread = message
        .decode_beside(body, &Limits::default(), &recall)
        .expect("the same request again");
    assert_eq!(unread.flawed, request.flawed);
    assert_eq!(unread.series.len(), request.series.len());
    for (unread, read) in unread.series.iter().zip(&request.series) {
        match unread.encoded {
            Encoded::Known(labels, _) => assert_eq!(labels, encoded(read)),
            Encoded::Read(_) | Encoded::Unknown => assert_eq!(unread.labels, read.labels),
        }
        assert_eq!(Counts::of(unread), Counts::of(read));
    }
}

fn write(builder: &mut BlockBuilder, series: &WrittenSeries<'_>) {
    let labels = series.labels.clone().into_set();
    for sample in &series.samples {
        builder.push_written(&labels, *sample);
    }
    for written in &series.histograms {
        builder.push_histogram(&labels, &written.histogram, written.at);
    }
    for exemplar in &series.exemplars {
        builder.push_exemplar(&labels, exemplar, Default::default());
    }
}

/// What the log would have of it says the same, and can be read as a request of version 1.0 without a flaw.
fn is_read_again(block: &Block, request: &Request<'_>) {
    let opened = block.open().expect("a block of our own opens");
    let mut again = opened.series().map(|one| one.expect("a series of our own"));
    let mut plain = Vec::new();
    for series in &request.series {
        let labels = series.labels.clone().into_set();
        for sample in &series.samples {
            let one = again.next().expect("a sample");
            assert_eq!(one.labels().expect("labels of our own"), labels);
            assert_eq!((one.at, one.created), (sample.at, sample.created));
            assert!(
                matches!(one.content, Content::Sample(value) if value.to_bits() == sample.value.to_bits())
            );
            plain.push(sample.value.to_bits());
        }
        for written in &series.histograms {
            let one = again.next().expect("a histogram");
            assert_eq!((one.at, one.labels()), (written.at, Ok(labels.clone())));
        }
        for _ in &series.exemplars {
            assert_eq!(again.next().expect("an exemplar").labels(), Ok(labels.clone()));
        }
    }
    assert!(again.next().is_none());
    let raw = snap::raw::Decoder::new().decompress_vec(block.bytes());
    let raw = raw.unwrap_or_default();
    let reread = Message::V1
        .decode(&raw, &Limits::default())
        .expect("a request of our own");
    assert!(reread.flawed.is_empty(), "{:?}", reread.flawed);
    let values = reread.series.iter().flat_map(|series| &series.samples);
    let values: Vec<u64> = values.map(|sample| sample.value.to_bits()).collect();
    assert_eq!(values, plain);
    let histograms = |request: &Request<'_>| {
        let all = request.series.iter().flat_map(|series| series.histograms.clone());
        let shown = all.map(|written| format!("{:?} {:?}", written.at, written.histogram.counts));
        shown.collect::<Vec<_>>()
    };
    assert_eq!(histograms(&reread).len(), histograms(request).len());
}
