use super::*;

const START: UnixMillis = UnixMillis::new(1_795_000_000_000);

fn said<'a>(family: &'a str, kind: MetricType, help: &'a str) -> Metadata<'a> {
    Metadata {
        family: family.into(),
        kind,
        help: help.into(),
        unit: "".into(),
    }
}

fn names(catalogue: &Catalogue, since: UnixMillis) -> Vec<String> {
    let recent = catalogue.recent(since);
    recent.iter().map(|said| said.family.to_string()).collect()
}

#[test]
fn the_last_word_on_a_family_counts() {
    let catalogue = Catalogue::default();
    catalogue.learn(&said("a", MetricType::Gauge, "One."), START);

    catalogue.learn(&said("a", MetricType::Counter, "Two."), START);

    assert_eq!(
        *catalogue.describe("a").unwrap(),
        said("a", MetricType::Counter, "Two.")
    );
    assert_eq!(catalogue.summary().families, 1);
}

/// Prometheus 3 says type 0 and no help of each series in version 2.0 when it knows no better.
#[test]
fn what_is_not_said_of_a_family_leaves_what_is_known() {
    let catalogue = Catalogue::default();
    let of_bytes = Metadata {
        unit: "bytes".into(),
        ..said("a", MetricType::Counter, "One.")
    };
    catalogue.learn(&of_bytes, START);

    catalogue.learn(&said("a", MetricType::Unknown, ""), START);
    catalogue.learn(&said("a", MetricType::Counter, ""), START);
    catalogue.learn(&said("a", MetricType::Unknown, "Two."), START);

    let expected = Metadata {
        help: "Two.".into(),
        ..of_bytes
    };
    assert_eq!(*catalogue.describe("a").unwrap(), expected);
}

#[test]
fn a_part_of_unknown_type_does_not_hide_its_family() {
    let catalogue = Catalogue::default();
    catalogue.learn(&said("h", MetricType::Histogram, "How long."), START);
    catalogue.learn(&said("h_bucket", MetricType::Unknown, "A part."), START);
    catalogue.learn(&said("u_bucket", MetricType::Unknown, "Alone."), START);

    let described = ["h_bucket", "u_bucket"].map(|series| catalogue.describe(series).map(|said| said.kind));

    assert_eq!(
        described,
        [Some(MetricType::Histogram), Some(MetricType::Unknown)]
    );
}

#[test]
fn the_parts_of_a_family_are_described_by_it_and_by_no_family_of_another_type() {
    let catalogue = Catalogue::default();
    for (family, kind) in [
        ("h", MetricType::Histogram),
        ("s", MetricType::Summary),
        ("g", MetricType::Gauge),
        ("c", MetricType::Counter),
        ("gh", MetricType::GaugeHistogram),
    ] {
        catalogue.learn(&said(family, kind, ""), START);
    }

    let kinds = [
        "h", "h_bucket", "h_sum", "h_count", "h_total", "s_count", "s_bucket", "g_count", "c_total",
        "gh_gsum", "unknown",
    ]
    .map(|series| catalogue.describe(series).map(|said| said.kind));

    let histogram = Some(MetricType::Histogram);
    let expected = [
        histogram,
        histogram,
        histogram,
        histogram,
        None,
        Some(MetricType::Summary),
        None,
        None,
        Some(MetricType::Counter),
        Some(MetricType::GaugeHistogram),
        None,
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn a_family_that_is_called_like_a_part_of_another_is_itself() {
    let catalogue = Catalogue::default();
    catalogue.learn(&said("h", MetricType::Histogram, ""), START);
    catalogue.learn(&said("h_count", MetricType::Gauge, ""), START);

    let kind = catalogue.describe("h_count").unwrap().kind;

    assert_eq!(kind, MetricType::Gauge);
}

#[test]
fn the_family_of_a_series_is_told_by_its_type() {
    let families = [
        ("a_bucket", MetricType::Histogram),
        ("a_sum", MetricType::Summary),
        ("a_bucket", MetricType::Summary),
        ("a_total", MetricType::Counter),
        ("a_count", MetricType::Gauge),
        ("_sum", MetricType::Summary),
    ]
    .map(|(series, kind)| family_of(series, kind));

    assert_eq!(families, ["a", "a", "a_bucket", "a_total", "a_count", "_sum"]);
}

#[test]
fn what_says_nothing_or_is_too_long_is_not_noted() {
    let catalogue = Catalogue::default();
    let (long, help) = ("a".repeat(MAX_NAME_BYTES + 1), "ä".repeat(MAX_HELP_BYTES));

    catalogue.learn(&said("a", MetricType::Unknown, ""), START);
    catalogue.learn(&said(&long, MetricType::Gauge, ""), START);
    catalogue.learn(&said("b", MetricType::Unknown, &help), START);

    assert_eq!(names(&catalogue, START), ["b"]);
    assert_eq!(catalogue.describe("b").unwrap().help.len(), MAX_HELP_BYTES);
}

#[test]
fn only_what_was_mentioned_lately_is_recent() {
    let catalogue = Catalogue::default();
    catalogue.learn(&said("b", MetricType::Gauge, ""), START);
    catalogue.learn(&said("a", MetricType::Gauge, ""), START);
    catalogue.learn(&said("c", MetricType::Gauge, ""), START);

    let later = START.after(Duration::from_secs(1));
    catalogue.learn(&said("b", MetricType::Gauge, ""), later);

    assert_eq!(names(&catalogue, START), ["a", "b", "c"]);
    assert_eq!(names(&catalogue, later), ["b"]);
}

#[test]
fn of_too_many_families_the_oldest_go_and_are_counted() {
    let catalogue = Catalogue::default();
    let at = |number: usize| UnixMillis::new(i64::try_from(number).unwrap());

    for number in 0..=MAX_FAMILIES {
        let name = format!("family_{number}");
        catalogue.learn(&said(&name, MetricType::Gauge, ""), at(number));
    }

    let Summary { families, forgotten } = catalogue.summary();
    assert_eq!(families + usize::try_from(forgotten).unwrap(), MAX_FAMILIES + 1);
    assert_eq!(forgotten, 2_500);
    assert!(catalogue.describe("family_2499").is_none());
    assert!(catalogue.describe("family_2500").is_some());
}

#[test]
fn long_texts_are_bounded_as_well() {
    let catalogue = Catalogue::default();
    let help = "h".repeat(MAX_HELP_BYTES);

    for number in 0..4_000 {
        catalogue.learn(
            &said(&format!("family_{number}"), MetricType::Gauge, &help),
            START,
        );
    }

    let bytes = catalogue.state().bytes;
    let families: usize = catalogue
        .state()
        .families
        .values()
        .map(|known| weight(&known.said))
        .sum();
    assert!(bytes <= MAX_BYTES, "{bytes}");
    assert_eq!(bytes, families);
}

#[test]
fn the_same_push_is_listened_to_once_a_minute() {
    let catalogue = Catalogue::default();

    let heard = [(1, 0), (2, 0), (1, 59_999), (1, 60_000), (1, 60_001), (1, 5)]
        .map(|(key, after)| catalogue.listens_to(key, UnixMillis::new(START.get() + after)));

    assert_eq!(heard, [true, true, false, true, false, true]);
}

#[test]
fn a_catalogue_comes_back_as_it_was_stored_and_damage_is_found() {
    let catalogue = Catalogue::default();
    catalogue.learn(&said("a", MetricType::Summary, "What it means."), START);
    let copied = catalogue.unstored().unwrap();

    catalogue.stored(&copied);

    let restored = Catalogue::restore(&copied.bytes).unwrap();
    assert_eq!(restored.recent(START), catalogue.recent(START));
    assert!(catalogue.unstored().is_none() && restored.unstored().is_none());
    for end in 0..copied.bytes.len() {
        assert!(Catalogue::restore(&copied.bytes[..end]).is_err(), "cut at {end}");
    }
    let mut damaged = copied.bytes;
    damaged[7] ^= 1;
    assert!(matches!(
        Catalogue::restore(&damaged),
        Err(CatalogueError::Checksum { .. })
    ));
}
