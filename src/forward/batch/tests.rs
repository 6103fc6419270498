use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{Batch, Handed, Parcel, Piece};
use crate::codec::record::Record as Blocks;
use crate::forward::tests::double::{block, record, series};
use crate::normalise::{Relabelling, RuleConfig};
use crate::queue::{Position, Record};

fn prepared(record: Record, rules: &[RuleConfig], max_samples: u32) -> Piece {
    let room = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let handed = Handed {
        position: Position::new(0),
        end: Position::new(1),
        record,
        room,
    };
    let rules = (!rules.is_empty()).then(|| Relabelling::try_new(rules).unwrap());
    Piece::prepare(handed, rules.as_ref(), max_samples)
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

    let body = Batch::of(piece).parcels(5)[0].body().unwrap();

    assert_eq!(body, *block("a", 5, 1.0).bytes());
}

#[test]
fn samples_and_markers_of_a_record_share_a_request_if_it_has_room() {
    let record = with_markers(6, 4);

    assert_eq!(sizes(&batch(vec![record.clone()]).parcels(10)), [10]);
    assert_eq!(sizes(&batch(vec![record]).parcels(9)), [6, 4]);
}

#[test]
fn halves_are_cut_between_records_then_between_blocks_then_between_series() {
    let whole = batch(vec![record("a", 1, 1.0), with_markers(4, 2), record("a", 3, 1.0)]);
    let parcel = &whole.parcels(2000)[0];

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
    let parcel = &whole.parcels(2000)[0];

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
        (piece.samples(), piece.relabelled_away, piece.unreadable()),
        (2, 1, 0)
    );
    let name = Batch::of(piece).parcels(2000)[0].first_series();
    assert_eq!(name, r#"m{group="a",n="0000",site="x"}"#);
}

#[test]
fn a_block_that_does_not_open_is_unreadable_and_its_neighbour_is_not() {
    let mut damaged = block("a", 5, 1.0).bytes().to_vec();
    damaged.truncate(20);
    let blocks = Blocks {
        event: bytes::Bytes::new(),
        samples: crate::codec::block::Block::from_parts(5, damaged.into()),
        markers: block("b", 2, 2.0),
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
