use super::{read, said};

#[track_caller]
fn check(yaml: &str, expected: &[&str]) {
    let errors = read(yaml).expect_err("a mistake was expected");

    assert_eq!(said(&errors), expected, "{yaml}");
}

#[test]
fn a_file_with_many_mistakes_reports_all_of_them_in_its_order() {
    check(
        "
data_dir: /var/lib/flinkbridge
htpp: {listen: 0.0.0.0:9091}
queue:
  max_bytes: 8 gigs
  max_age: 2 hours
  max_age: 3h
  when_ful: refuse
jobs: [stale_after]
remote_write:
  - name: tmp
    url: 10.0.0.5:9090
    headers: {Content-Type: text/plain}
  - name: tmp
    url: http://b/
    queue_config: {max_shards: many}
log: {level: loud}
",
        &[
            "3:1: htpp: unknown key: did you mean http?",
            r#"5:14: queue.max_bytes: "8 gigs" is no size: write it as 8GiB"#,
            r#"6:12: queue.max_age: "2 hours" is no duration: write it as 2h"#,
            "7:3: queue.max_age: is given twice (first in line 6): remove one of the two",
            "8:3: queue.when_ful: unknown key: did you mean when_full?",
            "9:7: jobs: is a list: write it as a block of `key: value` lines",
            r#"12:10: remote_write[0].url: "10.0.0.5:9090" is no URL of http:// or https://: write it as http://10.0.0.5:9090/api/v1/write"#,
            r#"13:15: remote_write[0].headers.Content-Type: "Content-Type" is a header that belongs to remote-write itself: take it out"#,
            r#"14:11: remote_write[1].name: "tmp" is the name of remote_write[0] already: give each remote a name of its own"#,
            r#"16:32: remote_write[1].queue_config.max_shards: "many" is no whole number: write it in digits, as 2000"#,
            r#"17:14: log.level: "loud" is not known here: write error, warn, info, debug or trace"#,
        ],
    );
}

#[test]
fn what_is_no_yaml_is_reported_by_line_and_column() {
    check(
        "queue: [\n",
        &[
            "2:1: the file: cannot be read as YAML: while parsing a node, did not find expected node content; this is where reading stopped, the slip may stand just before",
        ],
    );
    check(
        "queue:\n\tmax_bytes: 8GiB\n",
        &[
            "2:2: the file: cannot be read as YAML: tabs disallowed within this context (block indentation); indent with blanks",
        ],
    );
    check(
        "queue:\n  sync: interval: 1s\n",
        &[
            "2:17: the file: cannot be read as YAML: mapping values are not allowed in this context; look for a second colon in the line (quote the value) or a line indented too far",
        ],
    );
    check(
        "just a text",
        &["1:1: the file: is a single value: write it as a block of `key: value` lines"],
    );
    check(
        "- a\n",
        &["1:1: the file: is a list: write it as a block of `key: value` lines"],
    );
}

#[test]
fn a_value_of_the_wrong_shape_is_told_the_right_one() {
    check(
        "http: {listen: [a]}",
        &["1:16: http.listen: is a list: write it as a single value"],
    );
    check(
        "http: {path_prefixes: /a}",
        &[
            "1:23: http.path_prefixes: is a single value: write it as a list, one `- ` line for each or [a, b]",
        ],
    );
    check(
        "queue: {max_bytes: {a: 1}}",
        &["1:20: queue.max_bytes: is a block of keys: write it as a single value"],
    );
    check(
        "remote_write: {url: 'http://a/'}",
        &["1:15: remote_write: is a block of keys: write it as a list, one `- ` line for each or [a, b]"],
    );
}

#[test]
fn a_key_that_swallowed_its_value_is_cut_before_it() {
    check(
        "queue: {sync:always}",
        &["1:9: queue.sync...: unknown key: put a blank behind the colon"],
    );
}

#[test]
fn addresses_prefixes_and_statuses_have_a_form() {
    check(
        "http: {listen: 9091}",
        &[
            r#"1:16: http.listen: "9091" is no address to listen on: write it as 0.0.0.0:9091 or [::]:9091; port 0 lets the system choose"#,
        ],
    );
    check(
        "http: {path_prefixes: [flink]}",
        &[r#"1:24: http.path_prefixes[0]: "flink" is no path prefix: write it as /flink, or leave it away"#],
    );
    check(
        "pushgateway: {success_status: 204}",
        &[r#"1:31: pushgateway.success_status: "204" is not known here: write 200 or 202"#],
    );
    check(
        "normalise: {yarn: maybe}",
        &[r#"1:19: normalise.yarn: "maybe" is neither yes nor no: write true or false"#],
    );
}

#[test]
fn bounds_say_themselves_and_why() {
    check(
        "http: {max_connections: 0}",
        &[r#"1:25: http.max_connections: "0" is too little: write 1 or more, or nobody can connect"#],
    );
    check(
        "pushgateway: {max_body_bytes: 2GiB}",
        &[
            r#"1:31: pushgateway.max_body_bytes: "2GiB" is too much: write 1GiB or less, since a body is held in memory"#,
        ],
    );
    check(
        "jobs: {stale_after: 10ms}",
        &[
            r#"1:21: jobs.stale_after: "10ms" is too little: write 1s or more, or groups would end between two pushes"#,
        ],
    );
    check(
        "jobs: {stale_after_intervals: 1}",
        &[
            r#"1:31: jobs.stale_after_intervals: "1" is too little: write 2 or more, since one late push is no death"#,
        ],
    );
    check(
        "normalise: {limits: {max_value_bytes: 8}}",
        &[
            r#"1:39: normalise.limits.max_value_bytes: "8" is too little: write 32 or more, since a job_id has 32 digits; 0 switches the limit off"#,
        ],
    );
    check(
        "queue: {max_bytes: 100MiB, segment_bytes: 64MiB}",
        &[
            r#"1:20: queue.max_bytes: "100MiB" leaves no room for two segments, so that everything would be dropped at once: write 128MiB or more, or less than 64MiB as segment_bytes"#,
        ],
    );
}

#[test]
fn sync_is_one_of_three() {
    check(
        "queue: {sync: often}",
        &[r#"1:15: queue.sync: "often" is no way to sync: write always, never or {interval: 100ms}"#],
    );
    check(
        "queue: {sync: {interval: 2m}}",
        &[
            r#"1:26: queue.sync.interval: "2m" is too much: write 1m or less, since a power cut loses as much; or write never"#,
        ],
    );
    check(
        "queue: {sync: {intervall: 1s}}",
        &[
            "1:15: queue.sync.interval: is missing: write it as sync: {interval: 100ms}",
            "1:16: queue.sync.intervall: unknown key: did you mean interval?",
        ],
    );
}

#[test]
fn labels_have_names() {
    check(
        "external_labels: {instance-id: a, __name__: b}",
        &[
            r#"1:32: external_labels.instance-id: "instance-id" is no label name: use letters, digits and _, not beginning with a digit"#,
            r#"1:45: external_labels.__name__: "__name__" begins with __, which is reserved and removed before sending: choose another name"#,
        ],
    );
    check(
        "normalise: {aliases: {job_id: [j-id]}}",
        &[
            r#"1:32: normalise.aliases.job_id[0]: "j-id" is no label name: use letters, digits and _, not beginning with a digit"#,
        ],
    );
    check(
        "normalise: {default_job: ' '}",
        &[
            r#"1:26: normalise.default_job: " " cannot be a job's name: it is empty, has blanks around it, or ends in 32 hex digits"#,
        ],
    );
}

#[test]
fn rules_are_reported_by_their_index_and_key() {
    check(
        "normalise:\n  relabel_configs:\n  - regex: '(a'\n    target_label: b\n  - action: remove\n    regx: b\n",
        &[
            r#"3:12: normalise.relabel_configs[0].regex: regular expression "(a" does not compile: unclosed group (RE2 syntax, anchored at both ends)"#,
            r#"5:13: normalise.relabel_configs[1].action: "remove" is no relabel action: use replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase or uppercase"#,
            "6:5: normalise.relabel_configs[1].regx: unknown key: did you mean regex?",
        ],
    );
    check(
        "remote_write: [{url: 'http://a/', write_relabel_configs: [{source_labels: job, target_label: a}]}]",
        &[
            "1:75: remote_write[0].write_relabel_configs[0].source_labels: is a single value: write it as a list, one `- ` line for each or [a, b]",
        ],
    );
}

#[test]
fn a_table_of_aliases_is_judged_as_a_whole() {
    check(
        "normalise:\n  aliases:\n    job_id: [jid, job-id]\n    host: jid\n    tm_id: [host]\n",
        &[
            r#"3:19: normalise.aliases.job_id[1]: "job-id" is no label name: use letters, digits and _, not beginning with a digit"#,
            r#"4:11: normalise.aliases.host: "jid" is listed twice: keep one of them"#,
            r#"5:13: normalise.aliases.tm_id[0]: "host" is a canonical name as well: a name is either canonical or an alias"#,
        ],
    );
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    check(
        "data_dir: ${NOWHERE}",
        &[
            "1:11: data_dir: environment variable NOWHERE is not set: set it, or give a default as ${NOWHERE:-default}",
        ],
    );
}

#[test]
fn a_remote_needs_a_url_that_can_be_reached() {
    check(
        "remote_write: [{name: a}]",
        &[
            "1:16: remote_write[0].url: is missing: say where to send, as url: http://10.0.0.5:9090/api/v1/write",
        ],
    );
    check(
        "remote_write: [{url: 'grpc://a:1/write'}]",
        &[
            r#"1:22: remote_write[0].url: "grpc://a:1/write" has something behind host and port, where gRPC has nothing: write it as grpc://10.0.0.5:9092"#,
        ],
    );
    check(
        "remote_write: [{url: 'http://a/', name: ' '}]",
        &[
            r#"1:41: remote_write[0].name: " " is no name for a remote: use 1 to 64 bytes without line breaks: it stands in logs and names files"#,
        ],
    );
    check(
        "remote_write: [{url: 'http://a/', name: remote-2}, {url: 'http://b/'}]",
        &[
            r#"1:52: remote_write[1].name: "remote-2" is the name of remote_write[0] already: give each remote a name of its own"#,
        ],
    );
    check(
        "remote_write: [{url: 'http://a/', queue_config: {min_backoff: 10s}}]",
        &[
            r#"1:63: remote_write[0].queue_config.min_backoff: "10s" is longer than max_backoff: write 5s or less, or more for max_backoff"#,
        ],
    );
    check(
        "remote_write: [{url: 'http://a/', protobuf_message: io.prometheus.write.v3}]",
        &[
            r#"1:53: remote_write[0].protobuf_message: "io.prometheus.write.v3" is no message of remote-write: write prometheus.WriteRequest or io.prometheus.write.v2.Request, or take it out"#,
        ],
    );
}

#[test]
fn one_way_of_authentication_is_enough() {
    check(
        "remote_write: [{url: 'http://a/', bearer_token: x, basic_auth: {username: y}}]",
        &[
            "1:35: remote_write[0].bearer_token: the value may not stand beside basic_auth: keep one of the two",
        ],
    );
    check(
        "remote_write: [{url: 'http://u:p@a/', authorization: {credentials: x}}]",
        &[
            "1:39: remote_write[0].authorization: the value may not stand beside the user in the url: keep one of the two",
        ],
    );
    check(
        "remote_write: [{url: 'http://a/', basic_auth: {password: x, password_file: y}}]",
        &[
            "1:47: remote_write[0].basic_auth.username: is missing: add it, or take basic_auth out",
            "1:61: remote_write[0].basic_auth.password_file: the value may not stand beside password: keep one of the two",
        ],
    );
    check(
        "remote_write: [{url: 'http://a/', authorization: {type: Basic}}]",
        &[
            "1:50: remote_write[0].authorization.credentials: is missing: add it or credentials_file, or take authorization out",
            "1:57: remote_write[0].authorization.type: the value is basic: use basic_auth instead",
        ],
    );
}

#[test]
fn rights_hold_for_users_and_are_words_that_are_known() {
    check(
        "http: {rights: {ops: [push]}}\n",
        &[
            "1:8: http.rights: the value has no users to hold for: add http.web_config_file with basic_auth_users, or take the rights out",
        ],
    );
    check(
        "http: {web_config_file: web.yml, rights: {ops: [wipe], bob: push}}\n",
        &[
            r#"1:49: http.rights.ops[0]: "wipe" is not known here: write push, read or admin"#,
            "1:61: http.rights.bob: is a single value: write it as a list, one `- ` line for each or [a, b]",
        ],
    );
}

#[test]
fn keys_of_later_versions_are_known_and_said_to_be_so() {
    let said = said(&read("jobs: {policies: [], track_remote_write: true}\n").unwrap_err());

    assert_eq!(said.len(), 2);
    assert!(
        said.iter()
            .all(|line| line.contains(": is not supported yet by this version: ")),
        "{said:#?}"
    );
}
