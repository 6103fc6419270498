//! The bridge's own door, protected by Prometheus' web configuration file.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bridge::Bridge;
use crate::http::Answer;
use crate::secured::{Authority, Client};
use crate::wait;

const HTTP: &str = "http: {listen: '127.0.0.1:0', web_config_file: web.yml}\n";
const TLS: &str = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";
const PUSH: (&str, &str) = ("PUT", "/metrics/job/j");

/// A bridge whose web configuration file and certificate are these.
fn bridge(settings: &str, web: &str, authority: &Authority) -> Bridge {
    Bridge::prepared(settings, |folder| {
        authority.certify("bridge.example").store(folder);
        std::fs::write(folder.join("ca.crt"), authority.pem()).unwrap();
        std::fs::write(folder.join("web.yml"), web).unwrap();
    })
}

fn rewrite(folder: &Path, web: &str) {
    std::fs::write(folder.join("web.yml"), web).unwrap();
}

/// `basic_auth_users`, each with this kind of hash of the password `of-<name>`.
fn users(users: &[(&str, &str)]) -> String {
    let line = |(name, kind): &(&str, &str)| {
        let hash = bcrypt::hash(format!("of-{name}"), 4).unwrap();
        format!("  {name}: {}\n", hash.replacen("2b", kind, 1))
    };
    format!(
        "basic_auth_users:\n{}",
        users.iter().map(line).collect::<String>()
    )
}

fn ask(bridge: &Bridge, user: &str, password: &str, (method, path): (&str, &str)) -> Answer {
    let user = STANDARD.encode(format!("{user}:{password}"));
    let head = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {user}\r\n");
    bridge.send_raw(format!("{head}Content-Length: 4\r\n\r\na 1\n").as_bytes())
}

#[test]
fn a_push_by_https_is_taken() {
    let authority = Authority::new();
    let bridge = bridge(HTTP, TLS, &authority);

    let (answer, _) = Client::trusting(&authority)
        .request(bridge.address(), PUSH, "a 1\n")
        .unwrap();

    assert_eq!(answer.status, 200);
    bridge.remote_has(&[("a{job=\"j\"}", &["1"])]);
}

#[test]
fn http_2_is_spoken_to_the_letter_unless_it_is_switched_off() {
    let authority = Authority::new();
    let client = Client::trusting(&authority);
    let bridge = bridge(HTTP, TLS, &authority);
    let on = client.head(bridge.address(), "/-/healthy");

    rewrite(
        bridge.folder(),
        &format!("{TLS}http_server_config: {{http2: false}}\n"),
    );
    bridge.refresh_protection();
    let off = client.head(bridge.address(), "/-/healthy");

    let answer = |version: &str| (version.to_owned(), 405, "13".to_owned());
    assert_eq!(on.unwrap(), answer("HTTP/2.0"));
    assert_eq!(off.unwrap(), answer("HTTP/1.1"));
}

#[test]
fn the_configured_headers_are_on_every_answer() {
    let web = "http_server_config: {headers: {X-Frame-Options: deny}}\n";
    let bridge = bridge(HTTP, web, &Authority::new());

    let answer = bridge.send("GET", "/nowhere", "");

    let expected = ("x-frame-options".to_owned(), "deny".to_owned());
    assert!(answer.headers.contains(&expected), "{:?}", answer.headers);
}

#[test]
fn a_connection_that_never_shakes_hands_holds_up_neither_others_nor_the_end() {
    let authority = Authority::new();
    let mut bridge = bridge(HTTP, TLS, &authority);
    let _silent = std::net::TcpStream::connect(bridge.address()).unwrap();

    let answer = Client::trusting(&authority).request(bridge.address(), PUSH, "a 1\n");
    let begun = std::time::Instant::now();
    bridge.stop();

    assert_eq!(answer.unwrap().0.status, 200);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_client_that_trusts_another_authority_does_not_come_in() {
    let bridge = bridge(HTTP, TLS, &Authority::new());

    let refused = Client::trusting(&Authority::new()).request(bridge.address(), PUSH, "a 1\n");

    assert!(refused.unwrap_err().contains("invalid peer certificate"));
}

#[test]
fn plain_http_is_told_to_speak_https() {
    let bridge = bridge(HTTP, TLS, &Authority::new());

    let answer = bridge.send("PUT", "/metrics/job/j", "a 1\n");

    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("https://"), "{}", answer.text());
}

#[test]
fn a_client_without_the_certificate_that_is_wanted_does_not_come_in() {
    let authority = Authority::new();
    let wanted = "{cert_file: server.crt, key_file: server.key, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt, client_allowed_sans: [tm.example]}";
    let bridge = bridge(HTTP, &format!("tls_server_config: {wanted}\n"), &authority);
    let ask = |client: Client| {
        client
            .request(bridge.address(), PUSH, "a 1\n")
            .map(|(answer, _)| answer.status)
    };

    let certified = ask(Client::certified(&authority, &authority.certify("tm.example")));
    let of_another_name = ask(Client::certified(&authority, &authority.certify("jm.example")));
    let by_a_stranger = ask(Client::certified(
        &authority,
        &Authority::new().certify("tm.example"),
    ));
    let without = ask(Client::trusting(&authority));

    assert_eq!(certified, Ok(200));
    assert!(of_another_name.is_err() && by_a_stranger.is_err() && without.is_err());
}

#[test]
fn a_new_certificate_is_shown_without_a_restart() {
    let authority = Authority::new();
    let bridge = bridge(HTTP, TLS, &authority);
    let renewed = authority.certify("bridge.example");

    renewed.store(bridge.folder());
    bridge.refresh_protection();

    let (_, shown) = Client::trusting(&authority)
        .request(bridge.address(), PUSH, "a 1\n")
        .unwrap();
    assert_eq!(shown, renewed.der());
}

#[test]
fn a_file_that_has_become_wrong_leaves_the_door_as_it_was() {
    let authority = Authority::new();
    let bridge = bridge(HTTP, TLS, &authority);

    rewrite(bridge.folder(), "tls_server_config: {cert_file: gone.crt}\n");
    bridge.refresh_protection();
    std::fs::write(bridge.folder().join("server.crt"), "no certificate").unwrap();
    rewrite(bridge.folder(), TLS);
    bridge.refresh_protection();

    let answer = Client::trusting(&authority).request(bridge.address(), PUSH, "a 1\n");
    assert_eq!(answer.unwrap().0.status, 200);
}

#[test]
fn only_who_knows_a_password_comes_in() {
    let web = users(&[("flink", "2y"), ("ops", "2b")]);
    let bridge = bridge(HTTP, &web, &Authority::new());

    let let_in = ["flink", "ops"].map(|user| ask(&bridge, user, &format!("of-{user}"), PUSH).status);
    let wrong = ask(&bridge, "flink", "of-ops", PUSH).status;
    let unknown = ask(&bridge, "nobody", "of-nobody", PUSH).status;
    let without = bridge.send("PUT", "/metrics/job/j", "a 1\n").status;
    let probe = bridge.send("GET", "/-/healthy", "").status;

    assert_eq!(let_in, [200, 200]);
    assert_eq!((wrong, unknown, without, probe), (401, 401, 401, 401));
}

#[test]
fn a_long_push_without_a_password_hears_why_it_is_refused() {
    let bridge = bridge(HTTP, &users(&[("flink", "2y")]), &Authority::new());

    let answer = bridge.send("PUT", "/metrics/job/j", &"a 1\n".repeat(200_000));

    assert_eq!(answer.status, 401);
    assert!(
        answer.text().contains("basic authentication"),
        "{}",
        answer.text()
    );
}

#[test]
fn probes_answer_everybody_where_that_is_wanted() {
    let http = "http: {listen: '127.0.0.1:0', web_config_file: web.yml, public_probes: true}\n";
    let bridge = bridge(http, &users(&[("flink", "2y")]), &Authority::new());

    let status = ["/-/healthy", "/-/ready", "/-/metrics"].map(|path| bridge.send("GET", path, "").status);

    assert_eq!(status, [200, 200, 401]);
}

#[test]
fn users_do_what_their_rights_grant_and_nothing_else() {
    let rights =
        "http: {listen: '127.0.0.1:0', web_config_file: web.yml, rights: {alice: [push], bob: [read]}}\n";
    let web = users(&[("alice", "2b"), ("bob", "2b"), ("carl", "2b")]);
    let bridge = bridge(rights, &web, &Authority::new());
    let status = |user: &str, what| ask(&bridge, user, &format!("of-{user}"), what).status;

    let pushes = ["alice", "bob", "carl"].map(|user| status(user, PUSH));
    let reads = ["alice", "bob", "carl"].map(|user| status(user, ("GET", "/-/metrics")));
    let reload = status("alice", ("PUT", "/-/reload"));

    assert_eq!(pushes, [200, 403, 403]);
    assert_eq!(reads, [403, 200, 403]);
    assert_eq!(reload, 403);
}

#[test]
fn users_are_changed_by_a_reload() {
    let mut bridge = bridge(HTTP, &users(&[("old", "2b")]), &Authority::new());
    assert_eq!(ask(&bridge, "old", "of-old", PUSH).status, 200);

    rewrite(bridge.folder(), &users(&[("new", "2b")]));
    bridge.reload(HTTP).unwrap();

    assert_eq!(ask(&bridge, "old", "of-old", PUSH).status, 401);
    assert_eq!(ask(&bridge, "new", "of-new", PUSH).status, 200);
}

#[test]
fn a_reload_with_a_wrong_web_file_changes_nothing() {
    let mut bridge = bridge(HTTP, &users(&[("old", "2b")]), &Authority::new());

    rewrite(bridge.folder(), "basic_auth_users: {old: plain}\n");
    let error = bridge.reload(HTTP).unwrap_err();

    assert!(error.contains("web.yml:1:25: basic_auth_users.old"), "{error}");
    assert_eq!(ask(&bridge, "old", "of-old", PUSH).status, 200);
}

#[test]
fn a_file_that_is_emptied_opens_the_door_only_by_a_reload() {
    let mut bridge = bridge(HTTP, &users(&[("old", "2b")]), &Authority::new());
    let push = |bridge: &Bridge| bridge.send("PUT", "/metrics/job/j", "a 1\n").status;

    rewrite(bridge.folder(), "");
    bridge.refresh_protection();
    let before = push(&bridge);
    bridge.reload(HTTP).unwrap();
    let after = push(&bridge);

    assert_eq!((before, after), (401, 200));
}

#[test]
fn rights_never_stand_without_users_who_could_have_them() {
    let rights = "http: {listen: '127.0.0.1:0', web_config_file: web.yml, rights: {alice: [push]}}\n";
    let bridge = bridge(rights, &users(&[("alice", "2b")]), &Authority::new());

    rewrite(bridge.folder(), "");
    bridge.refresh_protection();

    assert_eq!(bridge.send("PUT", "/metrics/job/j", "a 1\n").status, 401);
}

#[test]
fn a_change_is_noticed_without_being_told() {
    let bridge = bridge(HTTP, &users(&[("old", "2b")]), &Authority::new());

    rewrite(bridge.folder(), &users(&[("new", "2b")]));

    wait::until_true("way in for the new user", Duration::from_secs(20), || {
        ask(&bridge, "new", "of-new", PUSH).status == 200
    });
    assert_eq!(ask(&bridge, "old", "of-old", PUSH).status, 401);
}
