//! What is kept to be shown: every value of a push is found in it again, and damage of it is an error.

use std::sync::Arc;

use bytes::Bytes;
use flinkbridge::codec::DecodeError;
use flinkbridge::codec::exposition::Exposition;
use flinkbridge::codec::layer::{Layer, Values};
use flinkbridge::codec::shape::{Shape, ShapeKey};
use flinkbridge::model::{GroupKey, UnixMillis};

const NOW: UnixMillis = UnixMillis::new(1_795_000_000_000);

/// Most values of a shape here.
const MAX_VALUES: usize = 1000;

/// A shape from the disk: read to its end, and made anew.
pub(crate) fn shape(bytes: &[u8]) {
    let Ok(shape) = Shape::from_parts(ShapeKey(1), Bytes::copy_from_slice(bytes)) else {
        return;
    };
    let values = Values {
        numbers: vec![1.0; MAX_VALUES],
        extras: vec![(1, Bytes::from_static(b"extra"))],
    };
    let layer = Layer::new(Arc::new(shape), values, NOW);
    let Ok(Some(again)) = layer.without(|_| false) else {
        return;
    };
    metrics(&again).expect("a shape of our own is read");
}

/// Every sample of an exposition has its value in the shape made of it.
pub(super) fn has_all(read: &Exposition<'_>) {
    let group = GroupKey::try_new("j", [("instance".to_owned(), "i".to_owned())]).expect("a group");
    let key = ShapeKey::of(read);
    let shape = Shape::of(read, &group, key);
    assert_eq!(Shape::from_parts(key, shape.bytes().clone()), Ok(shape.clone()));
    let mut found = vec![0; read.samples.len()];
    for family in shape.families().expect("a shape of our own") {
        for metric in family.expect("a family of our own").metrics() {
            let metric = metric.expect("a metric of our own");
            assert!(
                metric
                    .labels()
                    .all(|label| label.is_ok_and(|(name, _)| name != "instance"))
            );
            for part in metric.parts() {
                let (_, value) = part.expect("a part of our own");
                found[value as usize] += 1;
            }
        }
    }
    assert!(found.iter().all(|times| *times == 1), "{found:?} of {read:?}");
    let layer = Layer::new(Arc::new(shape), Values::of(&read.samples), NOW);
    metrics(&layer).expect("a layer of our own is read");
}

/// How many metrics are shown.
fn metrics(layer: &Layer) -> Result<usize, DecodeError> {
    let mut count = 0;
    for family in layer.families()? {
        for metric in family?.metrics() {
            metric?;
            count += 1;
        }
    }
    Ok(count)
}
