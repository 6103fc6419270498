use std::time::Duration;

use proptest::prelude::*;

use super::{Bounds, Changed, Dropped, identity};
use crate::codec::block::BlockBuilder;
use crate::forward::profile::{Beyond, BeyondNames, Limits, TextLimit};
use crate::model::{LabelDraft, LabelSet, NameScheme, UnixMillis, is_label_name};

const NOW: UnixMillis = UnixMillis::new(1_800_000_000_000);

fn set(labels: &[(&str, &str)]) -> LabelSet<'static> {
    let labels = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    labels.collect::<LabelDraft>().into_set()
}

fn fit(limits: &Limits, labels: &LabelSet<'static>) -> Result<(LabelSet<'static>, Vec<Changed>), Dropped> {
    Bounds::of(limits, NOW).unwrap().fit(labels.clone())
}

/// Whether the encoded series passes as it is.
fn passes(limits: &Limits, labels: &LabelSet<'_>, at: UnixMillis) -> bool {
    let mut builder = BlockBuilder::new(7);
    builder.push(labels, 1.0, at);
    let open = builder.finish().open().unwrap();
    let series = open.series().next().unwrap().unwrap();
    Bounds::of(limits, NOW).unwrap().pass(&series).unwrap()
}

fn values_of(bytes: u32, beyond: Beyond) -> Limits {
    Limits {
        label_value: TextLimit::of(bytes, beyond),
        ..Limits::none()
    }
}

#[test]
fn no_limits_bound_nothing() {
    assert!(Bounds::of(&Limits::none(), NOW).is_none());
    assert!(Bounds::of(&values_of(64, Beyond::Leave), NOW).is_none());
}

/// Section 3.7, 2.
#[test]
fn a_value_too_long_is_cut_at_a_character_and_ends_in_a_hash_of_the_whole() {
    let long = set(&[("__name__", "m"), ("a", &"任务".repeat(20))]);

    let (labels, changes) = fit(&values_of(64, Beyond::Truncate), &long).unwrap();

    let value = labels.get("a").unwrap();
    assert_eq!(value.len(), 45 + 17);
    assert!(value.starts_with("任务任务任务任务任务任务任务任_"), "{value}");
    assert_eq!(changes, [Changed::ValueTruncated]);
    assert_eq!(value, "任务任务任务任务任务任务任务任_5c8bf188d61f184b");
}

#[test]
fn a_value_too_long_goes_with_its_label_or_its_series_where_that_is_wanted() {
    let long = set(&[("__name__", "m"), ("a", &"x".repeat(65))]);

    let without = fit(&values_of(64, Beyond::DropLabel), &long).unwrap();
    let refused = fit(&values_of(64, Beyond::DropSeries), &long);

    assert_eq!(without, (set(&[("__name__", "m")]), vec![Changed::LabelDropped]));
    assert_eq!(refused, Err(Dropped::LabelValue));
}

/// Section 3.7, 7.
#[test]
fn of_too_many_labels_those_of_the_list_go_first_and_no_more_than_needed() {
    let limits = Limits {
        max_labels: Some(4),
        ..Limits::none()
    };
    let many = set(&[
        ("__name__", "m"),
        ("a", "1"),
        ("operator_id", "o"),
        ("task_attempt_id", "t"),
        ("task_id", "i"),
    ]);

    let (labels, changes) = fit(&limits, &many).unwrap();

    assert_eq!(
        labels,
        set(&[
            ("__name__", "m"),
            ("a", "1"),
            ("operator_id", "o"),
            ("task_id", "i")
        ])
    );
    assert_eq!(changes, [Changed::LabelDropped]);
}

#[test]
fn a_series_still_of_too_many_labels_is_dropped() {
    let limits = Limits {
        max_labels: Some(2),
        ..Limits::none()
    };

    let refused = fit(
        &limits,
        &set(&[("__name__", "m"), ("a", "1"), ("b", "2"), ("task_id", "i")]),
    );

    assert_eq!(refused, Err(Dropped::TooManyLabels));
}

#[test]
fn names_too_long_are_cut_or_drop_the_series() {
    let name = "n".repeat(40);
    let limits = Limits {
        metric_name: TextLimit::of(32, Beyond::DropSeries),
        label_name: TextLimit::of(32, Beyond::Truncate),
        ..Limits::none()
    };

    let metric = fit(&limits, &set(&[("__name__", &name)]));
    let (label, changes) = fit(&limits, &set(&[("__name__", "m"), (&name, "1")])).unwrap();

    assert_eq!(metric, Err(Dropped::MetricName));
    assert_eq!(changes, [Changed::NameTruncated]);
    let names: Vec<&str> = label.iter().map(|(name, _)| name).collect();
    assert!(
        names[1].len() == 32 && names[1].starts_with("nnnnnnnnnnnnnnn_"),
        "{names:?}"
    );
}

/// PRW S1-15: classic names only, where the remote takes no others.
#[test]
fn names_that_are_not_classic_are_escaped_or_drop_the_series() {
    let mut limits = Limits {
        names: NameScheme::Classic,
        ..Limits::none()
    };
    let labels = set(&[("__name__", "a.b"), ("c.d", "1"), ("e", "f.g")]);

    let escaped = fit(&limits, &labels).unwrap();
    limits.beyond_names = BeyondNames::DropSeries;
    let refused = fit(&limits, &labels);

    assert_eq!(
        escaped.0,
        set(&[("U__c_2e_d", "1"), ("__name__", "U__a_2e_b"), ("e", "f.g")])
    );
    assert_eq!(refused, Err(Dropped::NameNotClassic));
}

#[test]
fn samples_too_old_or_too_far_ahead_are_told() {
    let limits = Limits {
        max_age: Some(Duration::from_secs(60)),
        max_ahead: Some(Duration::from_secs(10)),
        ..Limits::none()
    };
    let bounds = Bounds::of(&limits, NOW).unwrap();
    let at = |seconds: i64| UnixMillis::new(NOW.get() + seconds * 1000);

    assert_eq!(bounds.time(at(-61)), Err(Dropped::TooOld));
    assert_eq!(bounds.time(at(11)), Err(Dropped::TooFarAhead));
    assert_eq!((bounds.time(at(-60)), bounds.time(at(10))), (Ok(()), Ok(())));
    assert!(!passes(&limits, &set(&[("__name__", "m")]), at(-61)));
}

#[test]
fn label_sets_are_told_apart_by_where_texts_end() {
    let left = identity(&set(&[("a", "bc"), ("d", "e")]));
    let right = identity(&set(&[("ab", "c"), ("d", "e")]));

    assert_ne!(left, right);
    assert_eq!(left, identity(&set(&[("d", "e"), ("a", "bc")])));
}

fn some_limits() -> impl Strategy<Value = Limits> {
    let beyond = prop_oneof![
        Just(Beyond::Truncate),
        Just(Beyond::DropLabel),
        Just(Beyond::DropSeries)
    ];
    let names = prop_oneof![Just(NameScheme::Classic), Just(NameScheme::Utf8)];
    (1..6_u32, 32..50_u32, 32..50_u32, beyond, names).prop_map(|(labels, name, value, beyond, names)| {
        Limits {
            max_labels: Some(labels),
            drop_labels_first: vec!["a".to_owned(), "b".to_owned()],
            metric_name: TextLimit::of(name, Beyond::Truncate),
            label_name: TextLimit::of(name, beyond),
            label_value: TextLimit::of(value, beyond),
            names,
            ..Limits::none()
        }
    })
}

proptest! {
    /// PRW S1-12, S1-13, S1-14, S1-15, S1-16: what has been made to fit is sorted, unique, without empties, has no
    /// reserved name, and fits.
    #[test]
    fn what_has_been_made_to_fit_passes_as_it_is(
        limits in some_limits(),
        labels in proptest::collection::vec(("[a-cä.]{1,3}|[é]{20,30}|n{30,60}", "[x-zß]{0,60}"), 0..8),
    ) {
        let labels: LabelSet<'static> = labels.into_iter().collect::<LabelDraft>().into_set().into_owned();
        prop_assume!(!labels.is_empty());

        let passed = passes(&limits, &labels, NOW);
        match fit(&limits, &labels) {
            Ok((fitted, changes)) => {
                prop_assert_eq!(passed, changes.is_empty());
                prop_assert!(fitted.is_empty() || passes(&limits, &fitted, NOW), "{} {:?}", fitted, limits);
                prop_assert!(fitted.iter().map(|(name, _)| name).is_sorted_by(|a, b| a < b));
                prop_assert!(limits.names == NameScheme::Utf8 || fitted.iter().all(|(name, _)| is_label_name(name)));
                prop_assert!(fitted.iter().all(|(name, value)| !name.starts_with("__") && !value.is_empty()));
                prop_assert_eq!(fit(&limits, &fitted).unwrap(), (fitted, vec![]));
            }
            Err(_) => prop_assert!(!passed),
        }
    }

    #[test]
    fn values_that_differ_still_do_when_they_are_cut(left in "[ab]{60,90}", right in "[ab]{60,90}") {
        prop_assume!(left != right);
        let limits = values_of(32, Beyond::Truncate);
        let cut = |value: &str| fit(&limits, &set(&[("a", value)])).unwrap().0;

        prop_assert_ne!(cut(&left), cut(&right));
    }
}
