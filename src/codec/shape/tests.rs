use super::*;
use crate::codec::text;
use crate::model::GroupKey;

fn group() -> GroupKey {
    GroupKey::try_new("j", [("zone".to_owned(), "z".to_owned())]).unwrap()
}

fn shape(body: &str) -> Shape {
    let read = text::parse(body.as_bytes(), 10_000).unwrap();
    Shape::of(&read, &group(), ShapeKey::of(&read))
}

/// Each part a line: family, labels, part, number of the value.
fn lines(shape: &Shape) -> Vec<String> {
    let mut lines = Vec::new();
    for family in shape.families().unwrap() {
        let family = family.unwrap();
        for metric in family.metrics() {
            let metric = metric.unwrap();
            let labels: Vec<_> = metric.labels().map(Result::unwrap).collect();
            for part in metric.parts() {
                let (part, value) = part.unwrap();
                lines.push(format!("{} {labels:?} {part:?} {value}", family.name));
            }
        }
    }
    lines
}

#[test]
fn a_shape_says_which_value_belongs_to_what() {
    let shape = shape(
        "# TYPE s summary\ns{a=\"1\",quantile=\"0.5\"} 1\ns_count{a=\"1\"} 2\ns{quantile=\"0.9\",a=\"1\"} 3\n\
         # HELP g how much\n# TYPE g gauge\ng 4\ng{job=\"other\",zone=\"other\",b=\"\"} 5\ns_sum{a=\"1\"} 6\n",
    );

    assert_eq!(shape.values(), Ok(6));
    assert_eq!(
        lines(&shape),
        [
            "g [] Itself 3",
            "g [(\"b\", \"\")] Itself 4",
            "s [(\"a\", \"1\")] Quantile(0.5) 0",
            "s [(\"a\", \"1\")] Count 1",
            "s [(\"a\", \"1\")] Quantile(0.9) 2",
            "s [(\"a\", \"1\")] Sum 5",
        ]
    );
    let families: Vec<_> = shape.families().unwrap().map(Result::unwrap).collect();
    assert_eq!(
        (families[0].help, families[0].kind),
        ("how much", MetricKind::Gauge)
    );
}

#[test]
fn what_its_family_has_no_place_for_is_kept_and_is_nothing() {
    let shape = shape("# TYPE h histogram\nh 1\nh{le=\"2\"} 2\nh_bucket 3\nh_bucket{le=\"+Inf\"} 4\n");

    assert_eq!(
        lines(&shape),
        [
            "h [] Nothing 0",
            "h [] Bucket(2.0) 1",
            "h [] Nothing 2",
            "h [] Bucket(inf) 3"
        ]
    );
}

#[test]
fn flink_like_label_sets_are_written_once() {
    let mut body = String::new();
    for metric in 0..40 {
        for subtask in 0..25 {
            body += &format!(
                "flink_taskmanager_job_task_metric{metric}{{job_id=\"a0f2cf2d7ab12a5ab4d9a5d4ac0cd2c2\",job_name=\"orders\",task_id=\"cbc357ccb763df2852fee8c4fc7d55f2\",task_name=\"Source\",subtask_index=\"{subtask}\",host=\"worker_17\",tm_id=\"container_e55_1696_0001_01_000002\",}} 1.0\n"
            );
        }
    }

    let shape = shape(&body);

    assert_eq!(shape.values(), Ok(1000));
    assert!(shape.bytes().len() < 8000, "{}", shape.bytes().len());
}

#[test]
fn the_key_tells_shapes_apart_and_does_not_see_values() {
    let key = |body: &str| ShapeKey::of(&text::parse(body.as_bytes(), 10).unwrap());
    let first = key("# TYPE a gauge\na{b=\"c\"} 1\n");

    assert_eq!(first, key("# TYPE a gauge\na{b=\"c\",} 2\n"));
    for other in [
        "a{b=\"c\"} 1\n",
        "# TYPE a gauge\n# HELP a b\na{b=\"c\"} 1\n",
        "# TYPE a gauge\na{b=\"d\"} 1\n",
        "# TYPE a gauge\na{b=\"c\"} 1\na 1\n",
        "# TYPE a gauge\na 1\n",
    ] {
        assert_ne!(first, key(other), "{other}");
    }
}

#[test]
fn a_damaged_shape_is_an_error_or_another_shape_and_never_a_panic() {
    let whole = shape(
        "# TYPE s summary\ns{a=\"1\",quantile=\"0.5\"} 1\ns_count{a=\"1\"} 2\n# HELP g x\ng{b=\"c\"} 4\n",
    );
    let read = |bytes: Vec<u8>| {
        let shape = Shape::from_parts(whole.key(), bytes.into())?;
        for family in shape.families()? {
            for metric in family?.metrics() {
                let metric = metric?;
                metric.labels().try_for_each(|label| label.map(|_| ()))?;
                metric.parts().try_for_each(|part| part.map(|_| ()))?;
            }
        }
        Ok::<_, DecodeError>(())
    };

    assert_eq!(read(whole.bytes().to_vec()), Ok(()));
    for cut in 0..whole.bytes().len() {
        let _ = read(whole.bytes()[..cut].to_vec());
    }
    for at in 0..whole.bytes().len() {
        for bit in 0..8 {
            let mut bytes = whole.bytes().to_vec();
            bytes[at] ^= 1 << bit;
            let _ = read(bytes);
        }
    }
}
