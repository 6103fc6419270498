//! The page that people look at: every group, what it shows, and a button to delete it (case H65).

use std::time::Duration;

use crate::bridge::Bridge;

#[track_caller]
fn page(bridge: &Bridge, path: &str) -> String {
    let answer = bridge.send("GET", path, "");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    let kind = answer.headers.iter().find(|(name, _)| name == "content-type");
    assert_eq!(kind.unwrap().1, "text/html; charset=utf-8");
    answer.text()
}

#[test]
fn h65_old_bookmarks_show_every_group_with_its_age_and_failure() {
    let bridge = Bridge::start();
    bridge.put("/metrics/job/good", "a 1\nb 2\n");
    bridge.send("PUT", "/metrics/job/bad", "a 1 1000\n");
    bridge.leap(Duration::from_secs(10));

    for path in ["/", "/status"] {
        let page = page(&bridge, path);

        for expected in [
            "2 groups of 1 processes",
            "{job=&quot;good&quot;}",
            "10 s ago",
            "pushed metrics must not have timestamps",
            "data-path=\"metrics/job/good\"",
        ] {
            assert!(page.contains(expected), "{path}: {expected} is not in {page}");
        }
    }
}

#[test]
fn a_group_shows_its_processes_and_metrics() {
    let bridge = Bridge::start();
    bridge.put(
        "/metrics/job/flink",
        "# HELP flink_load how much\n# TYPE flink_load gauge\nflink_load{host=\"h\",tm_id=\"container_1\"} 0.5\n# TYPE flink_s summary\nflink_s{host=\"h\",tm_id=\"container_1\",quantile=\"0.5\"} 7\n",
    );
    let list = page(&bridge, "/");
    let link = list.split("href=\"status?group=").nth(1).unwrap();

    let detail = page(
        &bridge,
        &format!("/status?group={}", link.split('"').next().unwrap()),
    );

    for expected in [
        "host h, tm_id container_1",
        "<code>flink_load</code> <small>gauge</small>",
        "how much",
        "<td class=\"number\">0.5",
        "0.5: 7<br>sum 0, count 0",
    ] {
        assert!(detail.contains(expected), "{expected} is not in {detail}");
    }
}

#[test]
fn the_filter_finds_groups_and_long_lists_are_cut() {
    let bridge = Bridge::start();
    for index in 0..201 {
        bridge.put(&format!("/metrics/job/Job{index:03}"), "a 1\n");
    }

    let all = page(&bridge, "/");
    let found = page(&bridge, "/?filter=jOB200");
    let none = page(&bridge, "/status?filter=nothing");
    let by_label = page(&bridge, "/?filter=job%3D%22job100%22");

    assert!(all.contains("The first 200 of 201 groups") && !all.contains("Job200"));
    assert!(found.contains("Job200") && !found.contains("Job199"));
    assert!(none.contains("There is no such group."));
    assert!(by_label.contains("Job100") && !by_label.contains("Job101"));
}

#[test]
fn nothing_that_a_pusher_chose_becomes_part_of_the_page() {
    let bridge = Bridge::start();
    let hostile = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%27%26";
    let job = "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0PiInJg==";
    bridge.put(
        &format!("/metrics/job@base64/{job}"),
        "# HELP a <script>alert(2)</script>\n# TYPE a gauge\na{x=\"<script>alert(3)</script>'\"} 1\n",
    );
    let list = page(&bridge, &format!("/?filter={hostile}"));
    let link = list.split("href=\"status?group=").nth(1).unwrap();

    let detail = page(
        &bridge,
        &format!("/status?group={}", link.split('"').next().unwrap()),
    );

    for page in [list, detail] {
        assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
        assert_eq!(page.matches("<script>").count(), 1, "{page}");
        assert!(!page.contains("alert(3)</"), "{page}");
    }
}

#[test]
fn the_button_of_a_group_deletes_it_behind_any_prefix() {
    let bridge = Bridge::with("http: {listen: '127.0.0.1:0', path_prefixes: [/push]}\n");
    bridge.put("/push/metrics/job@base64/YS9i/k@base64/=/l/v", "x 1\n");
    let list = page(&bridge, "/push/");
    let path = list
        .split("data-path=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();

    bridge.delete(&format!("/push/{path}"));

    assert!(page(&bridge, "/push/status").contains("There is no such group."));
    assert!(!list.contains("href=\"/") && !list.contains("src="), "{list}");
}

#[test]
fn a_page_of_a_group_that_is_gone_says_so() {
    let bridge = Bridge::start();

    for token in ["nonsense", "W1siam9iIiwiaiJdXQ"] {
        let page = page(&bridge, &format!("/status?group={token}"));

        assert!(
            page.contains("There is no such group, or not any more."),
            "{token}"
        );
    }
}

#[test]
fn h61_static_files_are_not_there() {
    let bridge = Bridge::start();

    assert_eq!(bridge.send("GET", "/static/missing.js", "").status, 404);
    assert_eq!(bridge.send("POST", "/", "").status, 405);
}

#[test]
fn bookmarks_with_a_slash_too_many_lead_to_the_page() {
    let bridge = Bridge::with("http: {listen: '127.0.0.1:0', path_prefixes: [/push]}\n");

    for (path, status, expected) in [
        ("/status/", 301, "/status"),
        ("/push/status/", 301, "/push/status"),
        ("/push//status", 307, "/push/status"),
        ("/api/v1/metrics/", 301, "/api/v1/metrics"),
        ("/status/?filter=a", 301, "/status?filter=a"),
        ("/push//status?filter=a%20b", 307, "/push/status?filter=a%20b"),
    ] {
        let answer = bridge.send("GET", path, "");

        let to = answer.headers.iter().find(|(name, _)| name == "location");
        assert_eq!((answer.status, to.unwrap().1.as_str()), (status, expected));
    }
}
