//! Our own metrics, as they are shown among those that were pushed, and as far as pushes have to agree with them.

use std::sync::Arc;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry as Metrics;

use crate::codec::exposition::Exposition;
use crate::codec::layer::{Layer, Values};
use crate::codec::openmetrics;
use crate::codec::shape::{Shape, ShapeKey};
use crate::model::{MetricKind, UnixMillis};

/// What the names of all our own metrics begin with.
const PREFIX: &str = "flinkbridge_";

/// Families that we show of ourselves, if the push has any of such a name; looked up only then, since it costs a scrape.
pub(super) fn beside(exposition: &Exposition<'_>, shown: Option<&Metrics>) -> Vec<(String, MetricKind)> {
    let is_close = exposition
        .families
        .iter()
        .any(|family| family.name.starts_with(PREFIX));
    match shown {
        Some(shown) if is_close => families(shown),
        _ => Vec::new(),
    }
}

/// Our own metrics as they are now, in the form in which pushes are shown.
pub(super) fn layer(shown: &Metrics, at: UnixMillis) -> Result<Layer, String> {
    let mut text = String::new();
    encode(&mut text, shown).map_err(|error| error.to_string())?;
    let read = openmetrics::parse(text.as_bytes(), usize::MAX).map_err(|error| error.to_string())?;
    let values = Values {
        numbers: read.samples.iter().map(|sample| sample.value).collect(),
        extras: Vec::new(),
    };
    let shape = Shape::ungrouped(&read, ShapeKey::of(&read));
    Ok(Layer::new(Arc::new(shape), values, at))
}

/// None when they cannot be shown either.
fn families(shown: &Metrics) -> Vec<(String, MetricKind)> {
    let Ok(layer) = layer(shown, UnixMillis::new(0)) else {
        return Vec::new();
    };
    let families = layer.families().into_iter().flatten().flatten();
    families
        .map(|family| (family.name.to_owned(), family.kind))
        .collect()
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;
    use crate::codec::text;

    #[test]
    fn our_own_families_are_looked_up_for_pushes_with_such_names_only() {
        let mut shown = Metrics::default();
        shown.register("flinkbridge_things", "Things", Counter::<u64>::default());
        let families = |body: &str| beside(&text::parse(body.as_bytes(), 9).unwrap(), Some(&shown));

        assert_eq!(families("a 1\n"), []);
        assert_eq!(
            families("flinkbridge_a 1\n"),
            [("flinkbridge_things_total".to_owned(), MetricKind::Counter)]
        );
    }
}
