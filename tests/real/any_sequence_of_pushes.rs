//! Sequences that nobody thought of: requests by the dice, from a small pool so that they get into each other's way, and
//! after each the bridge shows what a Pushgateway shows.

use crate::beside::{Mode, Pair, Patience, Request};

const REQUESTS: usize = 300;
const GROUPS: [&str; 5] = [
    "/metrics/job/a",
    "/metrics/job/b",
    "/metrics/job/a/instance/x",
    "/metrics/job/a/x/1/y/2",
    "/metrics/job@base64/Yy9k/instance/x",
];
const NAMES: [&str; 6] = ["m", "n", "m_count", "m_sum", "m_bucket", "m_total"];
const LABELS: [&str; 8] = [
    "",
    "{x=\"1\"}",
    "{x=\"2\"}",
    "{y=\"2\",x=\"1\"}",
    "{instance=\"x\"}",
    "{instance=\"\"}",
    "{job=\"b\"}",
    "{empty=\"\"}",
];

#[test]
fn two_pushgateways_agree_on_any_sequence() {
    agree(&Pair::twins(Mode::Plain), 1);
}

#[test]
fn whatever_is_pushed_the_same_is_shown() {
    for seed in [1, 2, 3] {
        agree(&Pair::start(Mode::Plain), seed);
    }
}

/// Throws the dice for every request, and compares after each.
#[track_caller]
fn agree(pair: &Pair, seed: u64) {
    let mut dice = Dice(seed);
    let mut story = Vec::new();
    for number in 0..REQUESTS {
        let (method, path, body) = (dice.method(), *dice.one_of(&GROUPS), dice.body());
        let request = Request::new(method, path, if method == "DELETE" { "" } else { &body });

        let mut found: Vec<String> = pair.ask(&request).into_iter().collect();
        story.push(request.label());
        let patience = if method == "DELETE" {
            Patience::Some
        } else {
            Patience::None
        };
        found.extend(pair.shown_within(patience));

        assert!(
            found.is_empty(),
            "seed {seed}, after request {number}:\n{}\n{}",
            story[story.len().saturating_sub(8)..].join("\n"),
            found.join("\n")
        );
    }
}

/// Steele and Vigna's SplitMix64: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("less than the limit")
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    fn method(&mut self) -> &'static str {
        ["PUT", "POST", "PUT", "POST", "PUT", "POST", "DELETE"][self.below(7)]
    }

    /// Up to three families, now and then with a mistake.
    fn body(&mut self) -> String {
        let mut body: String = (0..self.below(4)).map(|_| self.family()).collect();
        match self.below(20) {
            0 => body.push_str("m{\n"),
            1 => body.push_str("late 1 1000\n"),
            2 => body.push_str("reserved{__x=\"1\"} 1\n"),
            3 => body.push_str("twice 1\ntwice 1\n"),
            _ => {}
        }
        body
    }

    /// HELP is one for each name: among several, a Pushgateway's choice is by chance.
    fn family(&mut self) -> String {
        let name = *self.one_of(&NAMES);
        let samples = match self.below(8) {
            0 | 1 => self.histogram(name),
            2 => self.summary(name),
            3 => String::new(),
            kind => self.plain(name, ["untyped", "gauge", "gauge", "counter"][kind - 4]),
        };
        format!("# HELP {name} About {name}.\n{samples}")
    }

    fn plain(&mut self, name: &str, kind: &str) -> String {
        let mut lines = format!("# TYPE {name} {kind}\n");
        for _ in 0..=self.below(2) {
            let (labels, value) = (*self.one_of(&LABELS), self.below(3));
            lines.push_str(&format!("{name}{labels} {value}\n"));
        }
        lines
    }

    fn histogram(&mut self, name: &str) -> String {
        let x = self.below(3);
        let end = match self.below(2) {
            0 => String::new(),
            _ => format!("{name}_bucket{{x=\"{x}\",le=\"+Inf\"}} 3\n"),
        };
        format!(
            "# TYPE {name} histogram\n{name}_bucket{{x=\"{x}\",le=\"1\"}} 1\n{name}_bucket{{x=\"{x}\",le=\"2.50\"}} 2\n{end}{name}_count{{x=\"{x}\"}} 3\n"
        )
    }

    fn summary(&mut self, name: &str) -> String {
        let x = self.below(3);
        let end = ["_sum", "_count"][self.below(2)];
        format!(
            "# TYPE {name} summary\n{name}{{quantile=\"0.5\",x=\"{x}\"}} NaN\n{name}{end}{{x=\"{x}\"}} 2\n"
        )
    }
}
