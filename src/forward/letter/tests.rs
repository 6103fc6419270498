use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;

use super::*;
use crate::codec::block::BlockBuilder;
use crate::codec::generated::{write_v1 as v1, write_v2 as v2};
use crate::codec::record::Record as Blocks;
use crate::forward::tests::double::{Trial, record, series};
use crate::model::{
    Exemplar, HistogramBuckets, HistogramCounts, Metadata, MetricType, NativeHistogram, ResetHint,
    UnixMillis, UnixNanos, WrittenSample,
};
use crate::queue::Record;

const AT: UnixMillis = UnixMillis::new(9_000);
const SECOND: Duration = Duration::from_secs(1);

impl Parcel {
    /// Its body in version 1.0.
    pub(in crate::forward) fn body(&self) -> Result<Bytes, DecodeError> {
        plain(self).map(|letter| letter.body)
    }
}

fn histogram(schema: i32) -> NativeHistogram {
    NativeHistogram {
        schema,
        zero_threshold: 0.0,
        sum: 1.0,
        counts: HistogramCounts::Whole {
            count: 0,
            zero: 0,
            negative: HistogramBuckets::default(),
            positive: HistogramBuckets::default(),
        },
        reset: ResetHint::Unknown,
        custom_values: match schema {
            NativeHistogram::CUSTOM => vec![1.0],
            _ => Vec::new(),
        },
        created: Some(UnixNanos::from_parts(4, 0)),
    }
}

/// A record of a sample with a start time, two histograms, one of them with bounds of its own, and two exemplars, one of
/// them of a series without a sample.
fn of_all_kinds() -> Record {
    let (mut samples, mut exemplars) = (BlockBuilder::new(7), BlockBuilder::new(7));
    let sample = WrittenSample {
        value: 1.0,
        at: AT,
        created: Some(UnixMillis::new(4_000)),
    };
    samples.push_written(&series("a", 0), sample);
    samples.push_histogram(&series("a", 1), &histogram(3), AT);
    samples.push_histogram(&series("a", 2), &histogram(NativeHistogram::CUSTOM), AT);
    for number in [0, 5] {
        exemplars.push_exemplar(&series("a", number), &Exemplar::default(), AT);
    }
    let blocks = Blocks {
        event: Bytes::new(),
        samples: samples.finish(),
        markers: Block::default(),
        exemplars: exemplars.finish(),
    };
    Record {
        weight: blocks.weight(),
        payload: blocks.encode(),
        ..record("a", 0, 0.0)
    }
}

fn trial(message: Message) -> Trial {
    let mut trial = Trial::new();
    trial.message = message;
    trial.takes.exemplars = true;
    trial.takes.native_histograms = true;
    trial
}

fn raw(trial: &Trial) -> Vec<u8> {
    let bodies = trial.remote.bodies();
    let [body] = &bodies[..] else {
        panic!("{} requests", bodies.len());
    };
    snap::raw::Decoder::new().decompress_vec(body).unwrap()
}

/// Prometheus' `nhcb_in_rw1_not_supported`; start timestamps of PopulateV2TimeSeries are of 2.0 only.
#[tokio::test(start_paused = true)]
async fn version_1_gets_neither_start_times_nor_buckets_with_bounds_of_their_own() {
    let trial = trial(Message::V1);
    trial.log.push(of_all_kinds());

    trial.run(SECOND).await;

    let sent = v2::Request::decode(raw(&trial).as_slice());
    let request = v1::WriteRequest::decode(raw(&trial).as_slice()).unwrap();
    let schemas: Vec<i32> = request
        .timeseries
        .iter()
        .flat_map(|series| &series.histograms)
        .map(|histogram| histogram.schema)
        .collect();
    assert!(sent.is_err() || sent.unwrap().timeseries.is_empty());
    assert_eq!(schemas, [3]);
    assert!(
        !raw(&trial).windows(2).any(|bytes| bytes == [0xa0, 0x1f]),
        "a start time"
    );
    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.dropped_samples), (4, 1));
    assert_eq!(trial.books.counts().dropped["nhcb_in_rw1_not_supported"], 1);
}

/// PRW S2-09, S2-13: all that is said, but an exemplar without a sample of its series.
#[tokio::test(start_paused = true)]
async fn version_2_gets_start_times_and_all_histograms_and_no_lone_exemplar() {
    let trial = trial(Message::V2);
    trial.log.push(of_all_kinds());

    trial.run(SECOND).await;

    let request = v2::Request::decode(raw(&trial).as_slice()).unwrap();
    let [sample, histogram, custom] = &request.timeseries[..] else {
        panic!("{request:?}");
    };
    assert_eq!(sample.samples[0].start_timestamp, 4_000);
    assert_eq!(sample.exemplars.len(), 1);
    assert_eq!(histogram.histograms[0].start_timestamp, 4_000);
    assert_eq!(custom.histograms[0].custom_values, [1.0]);
    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.dropped_samples), (4, 1));
    assert_eq!(trial.books.counts().dropped["lone_exemplar"], 1);
}

/// PRW S2-20: counts are compared kind by kind.
#[tokio::test(start_paused = true)]
async fn exemplars_that_a_remote_does_not_write_are_rejected() {
    let mut trial = trial(Message::V2);
    trial.remote.writes = |counts| Counts {
        exemplars: 0,
        ..counts
    };
    trial.log.push(of_all_kinds());

    trial.run(SECOND).await;

    let status = trial.balanced();
    assert_eq!(
        (
            status.sent_samples,
            status.rejected_samples,
            status.dropped_samples
        ),
        (3, 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_of_which_version_1_can_say_nothing_costs_no_request() {
    let trial = trial(Message::V1);
    let mut samples = BlockBuilder::new(7);
    samples.push_histogram(&series("a", 0), &histogram(NativeHistogram::CUSTOM), AT);
    let blocks = Blocks {
        event: Bytes::new(),
        samples: samples.finish(),
        markers: Block::default(),
        exemplars: Block::default(),
    };
    trial.log.push(Record {
        weight: 1,
        payload: blocks.encode(),
        ..record("a", 0, 0.0)
    });

    trial.run(SECOND).await;

    assert!(trial.remote.bodies().is_empty());
    assert_eq!(trial.balanced().dropped_samples, 1);
    assert_eq!(trial.log.acknowledged(), [0]);
}

/// PRW S2-10; `metadata_config.send: false` holds for both versions.
#[tokio::test(start_paused = true)]
async fn version_2_has_metadata_beside_each_series_if_that_is_wanted() {
    for (send, expected) in [(true, Some("What it means.")), (false, None)] {
        let mut trial = trial(Message::V2);
        trial.metadata.send = send;
        let said = Metadata {
            family: "m".into(),
            kind: MetricType::Gauge,
            help: "What it means.".into(),
            unit: "".into(),
        };
        trial.catalogue.learn(&said, AT);
        trial.log.push(record("a", 1, 1.0));

        trial.run(SECOND).await;

        let request = v2::Request::decode(raw(&trial).as_slice()).unwrap();
        let metadata = request.timeseries[0].metadata;
        let help = metadata.map(|said| request.symbols[said.help_ref as usize].as_str());
        assert_eq!(help, expected);
    }
}

/// PRW S1-17, S2-12; SampleDeliveryOrder: what waited goes in the order of its times.
#[tokio::test(start_paused = true)]
async fn what_waited_arrives_in_order_and_each_series_once_in_a_request() {
    let trial = trial(Message::V2);
    for value in 0..20 {
        trial.log.push(record("a", 10, f64::from(value)));
        trial.log.push(record("b", 10, f64::from(value)));
    }

    trial.run(SECOND).await;

    let expected: Vec<f64> = (0..20).map(f64::from).collect();
    assert_eq!(trial.remote.stored().len(), 20);
    assert!(trial.remote.stored().values().all(|values| *values == expected));
    assert_eq!(trial.balanced().sent_samples, 400);
}
