use super::*;
use crate::codec::shape::ShapeKey;
use crate::codec::{protobuf, text};
use crate::model::stale_marker;

fn group() -> GroupKey {
    GroupKey::try_new("j", []).unwrap()
}

fn layer(body: &str, at: i64) -> Layer {
    let read = text::parse(body.as_bytes(), 1000).unwrap();
    let shape = Shape::of(&read, &group(), ShapeKey::of(&read));
    let numbers = read.samples.iter().map(|sample| sample.value).collect();
    let values = Values {
        numbers,
        extras: Vec::new(),
    };
    Layer::new(Arc::new(shape), values, UnixMillis::new(at))
}

fn shown(layer: &Layer) -> Vec<String> {
    let (group, mut lines) = (group(), Vec::new());
    for family in layer.families().unwrap() {
        let family = family.unwrap();
        for metric in family.metrics() {
            let metric = metric.unwrap();
            let labels = metric.labels_in(&group);
            lines.push(format!("{} {labels:?} {:?}", family.name, metric.content));
        }
    }
    lines
}

/// Native histograms as Go's client writes them.
const NATIVE: &[u8] = include_bytes!("../../../tests/fixtures/client_golang/native.pb");

const BODY: &str = "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_count 2\n# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_sum 4\nh_count 5\n# TYPE g gauge\ng{job=\"x\",instance=\"i\"} 6\n";

#[test]
fn a_layer_gives_back_what_was_pushed_with_the_labels_of_its_group() {
    assert_eq!(
        shown(&layer(BODY, 1)),
        [
            "g [(\"instance\", \"i\"), (\"job\", \"j\")] Simple { value: 6.0, exemplar: None, created: None }",
            "h [(\"instance\", \"\"), (\"job\", \"j\")] Histogram { buckets: [Bucket { bound: 1.0, count: 3.0, exemplar: None }], sum: 4.0, count: 5.0, created: None, native: None }",
            "s [(\"instance\", \"\"), (\"job\", \"j\")] Summary { quantiles: [(0.5, 1.0)], sum: 0.0, count: 2.0, created: None }",
        ]
    );
}

#[test]
fn what_is_left_without_a_family_is_the_others_as_they_were() {
    let whole = layer(BODY, 1);

    let left = whole.without(|name| name == "h").unwrap().unwrap();
    let all: Vec<_> = shown(&whole)
        .into_iter()
        .filter(|line| !line.starts_with("h "))
        .collect();
    assert_eq!(shown(&left), all);
    assert_eq!(whole.without(|_| true), Ok(None));
}

#[test]
fn two_layers_become_one_at_the_later_time() {
    let (first, second) = (layer(BODY, 1), layer("a 1\n# TYPE z counter\nz{b=\"c\"} 2\n", 2));

    let both = first.join(&second).unwrap();

    assert_eq!(both.at(), UnixMillis::new(2));
    let mut expected = [shown(&first), shown(&second)].concat();
    expected.sort();
    assert_eq!(shown(&both), expected);
}

#[test]
fn what_is_marked_is_not_shown() {
    let mut hidden = layer(BODY, 1);
    hidden.values.numbers[5] = stale_marker();

    assert_eq!(shown(&hidden).len(), 2);
}

#[test]
fn native_histograms_and_exemplars_are_given_back_as_they_were_pushed() {
    let read = protobuf::decode(NATIVE, 1000).unwrap();
    let shape = Shape::of(&read, &group(), ShapeKey::of(&read));
    let layer = Layer::new(Arc::new(shape), Values::of(&read.samples), UnixMillis::new(1));

    for family in layer.families().unwrap() {
        let family = family.unwrap();
        let metric = family.metrics().next().unwrap().unwrap();
        let Content::Histogram { buckets, native, .. } = metric.content else {
            panic!("{metric:?}");
        };
        let of_name = |suffix: &str| {
            let name = format!("{}{suffix}", family.name);
            let of_name = move |sample: &&Sample<'_>| sample.labels.get("__name__") == Some(&name);
            read.samples.iter().filter(of_name)
        };
        let pushed = of_name("").next().unwrap();
        let shown = histogram::read_pushed(native.unwrap(), family.kind).unwrap();
        assert_eq!(shown.as_ref(), pushed.histogram(), "{}", family.name);
        let shown = histogram::read_exemplars(native.unwrap()).unwrap();
        assert_eq!(shown, pushed.exemplars(), "{}", family.name);
        let shown: Vec<_> = buckets
            .iter()
            .filter_map(|bucket| exemplar::read_pushed(bucket.exemplar?).ok())
            .collect();
        let pushed: Vec<_> = of_name("_bucket").flat_map(Sample::exemplars).cloned().collect();
        assert_eq!(shown, pushed, "{}", family.name);
    }
}

#[test]
fn a_sample_without_a_bound_is_another_shape_than_a_native_histogram() {
    let native = protobuf::decode(NATIVE, 1000).unwrap();
    let mut plain = native.clone();
    for sample in &mut plain.samples {
        sample.extra = None;
    }

    assert_ne!(ShapeKey::of(&native), ShapeKey::of(&plain));
}

#[test]
fn families_without_metrics_stay_until_layers_are_joined() {
    let mut read = text::parse(b"# TYPE a gauge\n# TYPE b gauge\nb 1\n", 9).unwrap();
    read.bare = vec![0];
    let shape = Shape::of(&read, &group(), ShapeKey::of(&read));
    let layer = Layer::new(Arc::new(shape), Values::of(&read.samples), UnixMillis::new(1));
    let names = |layer: &Layer| -> Vec<String> {
        let names = layer
            .families()
            .unwrap()
            .map(|family| family.unwrap().name.to_owned());
        names.collect()
    };

    let left = layer.without(|name| name == "b").unwrap().unwrap();
    let joined = left
        .join(&layer.without(|name| name == "a").unwrap().unwrap())
        .unwrap();

    assert_eq!(names(&left), ["a"]);
    assert_eq!(names(&joined), ["b"]);
}
