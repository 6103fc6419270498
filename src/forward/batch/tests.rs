use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{Batch, Parcel};
use crate::codec::block::{Block, BlockBuilder};
use crate::codec::record::Record as Blocks;
use crate::forward::config::Takes;
use crate::forward::piece::{Handed, LeftOut, Load, Piece, Wishes};
use crate::forward::tests::double::{block, record, series};
use crate::model::{Exemplar, HistogramBuckets, HistogramCounts, NativeHistogram, ResetHint, UnixMillis};
use crate::normalise::{Relabelling, RuleConfig};
use crate::queue::{Position, Record};

/// So many samples, of any length.
const fn most(samples: u32) -> Load {
    Load {
        samples,
        raw_bytes: usize::MAX,
    }
}

fn prepared(record: Record, rules: &[RuleConfig], max_samples: u32) -> Piece {
    let rules = (!rules.is_empty()).then(|| Relabelling::try_new(rules).unwrap());
    wished(
        record,
        Wishes {
            rules: rules.as_ref(),
            takes: Takes::default(),
            most: most(max_samples),
            bounds: None,
        },
    )
}

fn wished(record: Record, wishes: Wishes<'_>) -> Piece {
    let room = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let handed = Handed {
        position: Position::new(0),
        end: Position::new(1),
        record,
        room,
    };
    Piece::prepare(handed, wishes)
}

/// A record of a sample, a native histogram and an exemplar.
fn of_all_kinds() -> Record {
    let histogram = NativeHistogram {
        schema: 0,
        zero_threshold: 0.1,
        sum: 1.0,
        counts: HistogramCounts::Whole {
            count: 1,
            zero: 1,
            negative: HistogramBuckets::default(),
            positive: HistogramBuckets::default(),
        },
        reset: ResetHint::Unknown,
        custom_values: Vec::new(),
        created: None,
    };
    let at = UnixMillis::new(1_000);
    let mut samples = BlockBuilder::new(7);
    samples.push(&series("a", 0), 1.0, at);
    samples.push_histogram(&series("a", 1), &histogram, at);
    let mut exemplars = BlockBuilder::new(7);
    exemplars.push_exemplar(&series("a", 0), &Exemplar::default(), at);
    let blocks = Blocks {
        event: bytes::Bytes::new(),
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

fn batch(records: Vec<Record>) -> Batch {
    let mut pieces = records.into_iter().map(|record| prepared(record, &[], 2000));
    let mut batch = Batch::of(pieces.next().unwrap());
    pieces.for_each(|piece| batch.push(piece));
    batch
}

fn with_markers(samples: u32, markers: u32) -> Record {
    let blocks = Blocks {
        event: bytes::Bytes::new(),
        samples: block("a", samples, 1.0),
        markers: block("b", markers, 2.0),
        exemplars: Block::default(),
    };
    Record {
        weight: samples + markers,
        payload: blocks.encode(),
        ..record("a", 0, 0.0)
    }
}

fn sizes(parcels: &[Parcel]) -> Vec<u32> {
    parcels.iter().map(Parcel::samples).collect()
}

#[track_caller]
fn halves(parcel: &Parcel) -> [Parcel; 2] {
    parcel.halves().unwrap().unwrap().into()
}

#[test]
fn a_record_that_fits_goes_out_as_it_lies_in_the_queue() {
    let piece = prepared(record("a", 5, 1.0), &[], 5);

    let body = Batch::of(piece).parcels(most(5))[0].body().unwrap();

    assert_eq!(body, *block("a", 5, 1.0).bytes());
}

#[test]
fn samples_and_markers_of_a_record_share_a_request_if_it_has_room() {
    let record = with_markers(6, 4);

    assert_eq!(sizes(&batch(vec![record.clone()]).parcels(most(10))), [10]);
    assert_eq!(sizes(&batch(vec![record]).parcels(most(9))), [6, 4]);
}

#[test]
fn halves_are_cut_between_records_then_between_blocks_then_between_series() {
    let whole = batch(vec![record("a", 1, 1.0), with_markers(4, 2), record("a", 3, 1.0)]);
    let parcel = &whole.parcels(most(2000))[0];

    let [left, right] = halves(parcel);
    let [first, second] = halves(&left);
    let [samples, markers] = halves(&second);
    let [front, back] = halves(&samples);

    assert_eq!(sizes(&[left, right]), [7, 3]);
    assert_eq!(
        (first.single_piece(), sizes(&[first, second])),
        (Some(0), vec![1, 6])
    );
    assert_eq!(sizes(&[samples, markers]), [4, 2]);
    assert_eq!(sizes(&[front, back]), [2, 2]);
}

#[test]
fn a_single_series_has_no_halves_and_says_its_name() {
    let whole = batch(vec![record("a", 1, 1.0)]);
    let parcel = &whole.parcels(most(2000))[0];

    assert!(parcel.halves().unwrap().is_none());
    assert_eq!(parcel.first_series(), series("a", 0).to_string());
}

#[test]
fn rules_of_the_remote_change_and_drop_series_and_what_they_drop_is_counted() {
    let rules = [
        RuleConfig {
            source_labels: vec!["n".to_owned()],
            regex: Some("0001".to_owned()),
            action: Some("drop".to_owned()),
            ..RuleConfig::default()
        },
        RuleConfig {
            target_label: Some("site".to_owned()),
            replacement: Some("x".to_owned()),
            ..RuleConfig::default()
        },
    ];

    let piece = prepared(record("a", 3, 1.0), &rules, 2000);

    assert_eq!(
        (
            piece.samples(),
            piece.left_out.relabelled_away,
            piece.unreadable()
        ),
        (2, 1, 0)
    );
    let name = Batch::of(piece).parcels(most(2000))[0].first_series();
    assert_eq!(name, r#"m{group="a",n="0000",site="x"}"#);
}

#[test]
fn a_block_that_does_not_open_is_unreadable_and_its_neighbour_is_not() {
    let mut damaged = block("a", 5, 1.0).bytes().to_vec();
    damaged.truncate(20);
    let blocks = Blocks {
        event: bytes::Bytes::new(),
        samples: Block::from_parts(5, damaged.into()),
        markers: block("b", 2, 2.0),
        exemplars: Block::default(),
    };
    let record = Record {
        weight: 7,
        payload: blocks.encode(),
        ..record("a", 0, 0.0)
    };

    let piece = prepared(record, &[], 4);

    assert_eq!((piece.samples(), piece.unreadable()), (2, 5));
    assert!(piece.damage.is_some());
}

#[test]
fn what_a_remote_does_not_take_is_left_out_and_the_rest_goes_out() {
    let takes = |exemplars, native_histograms| Takes {
        exemplars,
        native_histograms,
        extended: false,
    };

    for (takes, samples, histograms, exemplars) in [
        (takes(true, true), 3, 0, 0),
        (takes(false, true), 2, 0, 1),
        (takes(true, false), 2, 1, 0),
        (takes(false, false), 1, 1, 1),
    ] {
        let wishes = Wishes {
            rules: None,
            takes,
            most: most(2000),
            bounds: None,
        };
        let piece = wished(of_all_kinds(), wishes);
        let left_out = LeftOut {
            relabelled_away: 0,
            histograms,
            exemplars,
        };
        assert_eq!(
            (piece.samples(), piece.left_out),
            (samples, left_out),
            "{takes:?}"
        );
        assert_eq!(piece.unreadable(), 0, "{takes:?}");
    }
}

#[test]
fn rules_of_the_remote_hold_for_histograms_and_exemplars_too() {
    let rules = [RuleConfig {
        target_label: Some("site".to_owned()),
        replacement: Some("x".to_owned()),
        ..RuleConfig::default()
    }];
    let rules = Relabelling::try_new(&rules).unwrap();
    let takes = Takes {
        exemplars: true,
        native_histograms: true,
        extended: false,
    };

    let piece = wished(
        of_all_kinds(),
        Wishes {
            rules: Some(&rules),
            takes,
            most: most(1),
            bounds: None,
        },
    );

    let names: Vec<String> = Batch::of(piece)
        .parcels(most(1))
        .iter()
        .map(Parcel::first_series)
        .collect();
    let expected = ["0000", "0001", "0000"].map(|n| format!(r#"m{{group="a",n="{n}",site="x"}}"#));
    assert_eq!(names, expected);
}
