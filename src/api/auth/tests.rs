use std::collections::BTreeSet;

use http::HeaderValue;

use super::*;

fn user(name: &str, hash: &str) -> User {
    User {
        name: name.to_owned(),
        hash: PasswordHash::try_new(hash).unwrap(),
    }
}

/// Of "fakepassword", at the least cost.
fn hash() -> String {
    bcrypt::hash("fakepassword", 4).unwrap()
}

fn gate(users: &[User], rights: Option<Rights>) -> Gate {
    Gate::new(Arc::new(Passwords::of(users).unwrap()), rights)
}

fn basic(user: &str, password: &str) -> HeaderMap {
    let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(value).unwrap())])
}

async fn ask(gate: &Gate, headers: &HeaderMap) -> Result<(), Denied> {
    gate.admit(headers, (&Method::PUT, "/metrics/job/a")).await
}

#[tokio::test]
async fn every_kind_of_bcrypt_hash_is_understood() {
    let of_kind = |kind: &str| hash().replacen("2b", kind, 1);
    let users = ["2a", "2b", "2y"].map(|kind| user(kind, &of_kind(kind)));
    let gate = gate(&users, None);

    for kind in ["2a", "2b", "2y"] {
        assert_eq!(ask(&gate, &basic(kind, "fakepassword")).await, Ok(()), "{kind}");
    }
}

#[tokio::test]
async fn a_hash_made_by_others_fits() {
    let of_the_exporter_toolkit = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

    let gate = gate(&[user("flink", of_the_exporter_toolkit)], None);

    assert_eq!(ask(&gate, &basic("flink", "fakepassword")).await, Ok(()));
}

#[tokio::test]
async fn strangers_stay_out() {
    let gate = gate(&[user("flink", &hash())], None);
    let bearer = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer Zmxpbms6"))]);
    let no_base64 = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Basic %%%"))]);

    for headers in [
        HeaderMap::new(),
        bearer,
        no_base64,
        basic("flink", "wrong"),
        basic("flink", ""),
        basic("nobody", "fakepassword"),
        basic("Flink", "fakepassword"),
        basic("", "fakepassword"),
    ] {
        assert_eq!(ask(&gate, &headers).await, Err(Denied::Stranger), "{headers:?}");
    }
}

#[tokio::test]
async fn an_outcome_is_remembered_whichever_it_is() {
    let gate = gate(&[user("flink", &hash())], None);

    for _ in 0..2 {
        assert!(ask(&gate, &basic("flink", "fakepassword")).await.is_ok());
        assert!(ask(&gate, &basic("flink", "wrong")).await.is_err());
    }

    let remembered = gate.passwords.remembered.lock().unwrap();
    assert_eq!((remembered.right.len(), remembered.wrong.len()), (1, 1));
}

#[tokio::test]
async fn name_and_password_are_remembered_as_two_and_not_as_one() {
    let passwords = Passwords::of(&[user("a", &hash())]).unwrap();

    assert_ne!(passwords.mark("a", b"bc"), passwords.mark("ab", b"c"));
}

#[test]
fn wrong_passwords_never_take_more_memory_nor_the_place_of_right_ones() {
    let passwords = Passwords::of(&[user("a", &hash())]).unwrap();
    let mark = |number: u32| passwords.mark("a", &number.to_le_bytes());
    passwords.remember(mark(0), Outcome::Right);

    for number in 1..5000 {
        passwords.remember(mark(number), Outcome::Wrong);
    }

    assert_eq!(passwords.recall(&mark(0)), Some(Outcome::Right));
    assert!(passwords.remembered.lock().unwrap().wrong.len() <= MAX_REMEMBERED);
}

#[tokio::test]
async fn a_user_does_only_what_the_rights_grant() {
    let users = [user("alice", &hash()), user("bob", &hash())];
    let rights = Rights::from([
        ("alice".to_owned(), BTreeSet::from([Right::Push])),
        ("bob".to_owned(), BTreeSet::from([Right::Read])),
    ]);
    let gate = gate(&users, Some(rights));

    let alice = basic("alice", "fakepassword");
    let pushed = gate.admit(&alice, (&Method::PUT, "/metrics/job/a")).await;
    let read = gate.admit(&alice, (&Method::GET, "/-/metrics")).await;
    let probed = gate.admit(&alice, (&Method::GET, "/-/ready")).await;
    let deleted = gate
        .admit(&basic("bob", "fakepassword"), (&Method::DELETE, "/metrics/job/a"))
        .await;

    let forbidden = |user: &str, right| {
        Err(Denied::Forbidden {
            user: user.to_owned(),
            right,
        })
    };
    assert_eq!((pushed, probed), (Ok(()), Ok(())));
    assert_eq!(read, forbidden("alice", Right::Read));
    assert_eq!(deleted, forbidden("bob", Right::Push));
}

#[test]
fn what_changes_the_program_needs_an_admin() {
    for (method, path, needed) in [
        (Method::POST, "/-/reload", Some(Right::Admin)),
        (Method::PUT, "/-/quit", Some(Right::Admin)),
        (Method::PUT, "/api/v1/admin/wipe", Some(Right::Admin)),
        (Method::GET, "/metrics", Some(Right::Read)),
        (Method::GET, "/api/v1/metrics", Some(Right::Read)),
        (Method::POST, "/api/v1/write", Some(Right::Push)),
        (Method::GET, "/-/healthy", None),
    ] {
        assert_eq!(Right::needed(&method, path), needed, "{method} {path}");
    }
}

#[test]
fn what_is_no_usable_hash_is_refused_and_none_is_shown() {
    let costly = hash().replacen("$04$", "$31$", 1);

    assert_eq!(PasswordHash::try_new("hunter2"), Err(HashError::NoHash));
    assert_eq!(PasswordHash::try_new(&costly), Err(HashError::Cost(31)));
    assert_eq!(
        format!("{:?}", PasswordHash::try_new(&hash()).unwrap()),
        "<hidden>"
    );
}
