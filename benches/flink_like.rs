//! Bodies as a busy TaskManager pushes them: 11 labels, about 535 bytes of text a sample, values that change with
//! every push.

use std::fmt::Write as _;

/// Series that share a metric's name: operators times subtasks of one TaskManager.
const OPERATORS: usize = 5;
const SUBTASKS: usize = 5;
const FAMILY: usize = OPERATORS * SUBTASKS;

const VALUE_DIGITS: usize = 7;
const SOURCE_DIGITS: usize = 6;

/// A body whose values and whose TaskManager's number can be changed in place.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    text: Vec<u8>,
    values: Vec<usize>,
    sources: Vec<usize>,
}

impl Body {
    /// A body of `series` series, as the first source pushes it first.
    pub(crate) fn new(series: usize) -> Self {
        let mut text = String::new();
        let (mut values, mut sources) = (Vec::new(), Vec::new());
        for index in 0..series {
            let metric = format!("flink_taskmanager_job_task_operator_measure{:04}", index / FAMILY);
            if index % FAMILY == 0 {
                let _ = writeln!(
                    text,
                    "# HELP {metric} measure (scope: taskmanager_job_task_operator)"
                );
                let _ = writeln!(text, "# TYPE {metric} gauge");
            }
            let (operator, subtask) = (index % FAMILY / SUBTASKS, index % SUBTASKS);
            let _ = write!(
                text,
                "{metric}{{job_id=\"5f1c2d9ea7cf4be1a2b05d8fd6a3e7c4\",\
                 task_id=\"cbc357ccb763df2852fee8c4fc7d55f{operator}\",\
                 task_attempt_id=\"9a3bb32ed0c1f1a4d1d2b8f3a7a60d5{subtask}_cbc357ccb763df2852fee8c4fc7d55f{operator}_{subtask}_0\",\
                 host=\"node_17_example_internal\",\
                 operator_id=\"bc764cd8ddf7a0cff126f51c1623965{operator}\",\
                 operator_name=\"Source__orders{operator}_____Filter____Map\",\
                 task_name=\"Source:_orders{operator}____Filter____Map\",\
                 task_attempt_num=\"0\",job_name=\"orders_to_warehouse\",\
                 tm_id=\"container_e08_1700000000000_0012_01_"
            );
            sources.push(text.len());
            let _ = write!(text, "{:0SOURCE_DIGITS$}\",subtask_index=\"{subtask}\",}} ", 0);
            values.push(text.len());
            let _ = writeln!(text, "{:0VALUE_DIGITS$}.0", 0);
        }
        let mut body = Self {
            text: text.into_bytes(),
            values,
            sources,
        };
        body.turn(0, 0);
        body
    }

    /// The text.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Makes it what the given source pushes in the given round.
    pub(crate) fn turn(&mut self, source: usize, round: usize) {
        for at in &self.sources {
            put_digits(&mut self.text, *at, SOURCE_DIGITS, source);
        }
        for (index, at) in self.values.iter().enumerate() {
            let value =
                1_000_000 + (index * 7_919 + source * 104_729 + round * (31 + index % 17)) % 9_000_000;
            put_digits(&mut self.text, *at, VALUE_DIGITS, value);
        }
    }
}

fn put_digits(text: &mut [u8], at: usize, width: usize, mut number: usize) {
    for byte in text.iter_mut().skip(at).take(width).rev() {
        *byte = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}
