//! Times when nothing can be taken.

use prost::Message as _;

use super::sender::{V1, V2, packed, packed_v1, post_with, request_v2, series_v1, series_v2, usual, written};
use crate::bridge::Bridge;

/// PRW R1-03, R2-05, R2-07, R2-08: the whole request comes again, later; 503, since Prometheus repeats no 429 by default.
#[test]
fn a_full_queue_that_may_not_drop_says_when_to_come_again() {
    let bridge = Bridge::with("queue: {max_bytes: 4MiB, segment_bytes: 1MiB, when_full: refuse}\n");
    bridge.remote().go_away();
    let noise = |index: u128| {
        let number = index.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let scattered = number ^ (number >> 61);
        format!(
            "{scattered:x}{:x}",
            scattered.rotate_left(59).wrapping_mul(number)
        )
    };
    let filling = |round: u128| {
        let series = |index| series_v1(&[("__name__", "up"), ("x", &noise(index))], &[(1.0, 1)]);
        packed_v1((round * 20_000..(round + 1) * 20_000).map(series).collect())
    };
    let full = (0..20).find(|round| post_with(&bridge, "/write", &usual(V1), &filling(*round)).status != 204);
    assert!(full.is_some(), "the queue is never full");
    let series = |index: u32| series_v2(&[1, 2, 3, 9 + index], &[(1.0, 1)]);
    let mut request = request_v2((0..20_000).map(series).collect());
    request.symbols.extend((900_000..920_000).map(noise));

    let first = post_with(&bridge, "/write", &usual(V1), &filling(90));
    let second = post_with(&bridge, "/write", &usual(V2), &packed(&request.encode_to_vec()));

    for (answer, nothing) in [(first, None), (second, Some([0, 0, 0]))] {
        assert_eq!(
            (answer.status, written(&answer)),
            (503, nothing),
            "{}",
            answer.text()
        );
        assert!(
            answer
                .header("retry-after")
                .is_some_and(|seconds| seconds.parse::<u64>().is_ok())
        );
        assert!(answer.text().contains("queue.when_full"), "{}", answer.text());
    }
}
