use std::time::UNIX_EPOCH;

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::{prop_assert_eq, proptest};
use reqwest::Url;
use serde::Deserialize;

use super::super::sigv4::{Keys, Request, Scope, normal_path, sign};
use super::NOON;
use super::verifier::Account;
use crate::forward::tests::loopback;
use crate::model::UnixMillis;

#[derive(Deserialize)]
struct Vector {
    name: String,
    region: String,
    service: String,
    time: String,
    session: Option<String>,
    request: String,
    authorization: String,
}

/// A request as text, taken apart.
struct Parsed {
    method: String,
    url: Url,
    headers: HeaderMap,
    body: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../../../tests/fixtures/sigv4/vectors.json")).unwrap()
}

fn parsed(text: &str) -> Parsed {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.trim_end().lines();
    let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
    let target = rest.strip_suffix(" HTTP/1.1").unwrap();
    let mut pairs: Vec<(String, String)> = Vec::new();
    for line in lines {
        match line.split_once(':') {
            Some((name, value)) if !line.starts_with(' ') => pairs.push((name.to_owned(), value.to_owned())),
            _ => {
                let (_, value) = pairs.last_mut().unwrap();
                *value = format!("{value} {}", line.trim());
            }
        }
    }
    let host = pairs.iter().find(|(name, _)| name == "Host").unwrap().1.clone();
    let mut headers = HeaderMap::new();
    for (name, value) in pairs.into_iter().filter(|(name, _)| name != "Host") {
        let name = HeaderName::try_from(name).unwrap();
        headers.append(name, HeaderValue::try_from(value).unwrap());
    }
    Parsed {
        method: method.to_owned(),
        url: Url::parse(&format!("https://{host}{target}")).unwrap(),
        headers,
        body: body.to_owned(),
    }
}

fn authorization(vector: &Vector) -> String {
    let mut request = parsed(&vector.request);
    let keys = Keys {
        id: "AKIDEXAMPLE".to_owned(),
        secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        session: vector.session.clone(),
    };
    let at = humantime::parse_rfc3339(&vector.time)
        .unwrap()
        .duration_since(UNIX_EPOCH)
        .unwrap();
    let scope = Scope {
        region: &vector.region,
        service: &vector.service,
        at: UnixMillis::new(0).after(at),
    };
    let mut signed = Request {
        method: &request.method,
        url: &request.url,
        headers: &mut request.headers,
        body: request.body.as_bytes(),
    };
    sign(&keys, scope, &mut signed).unwrap();
    request.headers["authorization"].to_str().unwrap().to_owned()
}

/// AWS' own signing test suite, and requests signed by botocore (tests/fixtures/sigv4/README.md).
#[test]
fn every_published_vector_is_signed_as_published() {
    let wrong: Vec<String> = vectors()
        .iter()
        .filter(|vector| authorization(vector) != vector.authorization)
        .map(|vector| {
            format!(
                "{}: {} for {}",
                vector.name,
                authorization(vector),
                vector.authorization
            )
        })
        .collect();

    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(vectors().len(), 30);
}

proptest! {
    #[test]
    fn any_path_query_header_and_body_pass_the_verifier(
        path in "[a-zA-Z0-9/ %._~:@+é!$&'()*,;=-]{0,24}",
        query in "[a-z0-9 =&._~:@+é/*-]{0,24}",
        value in "[ -~]{0,24}",
        body: Vec<u8>,
    ) {
        let mut url = Url::parse(&format!("https://h:8443/{path}?{query}")).unwrap();
        url.set_path(&normal_path(url.path()));
        let mut headers = HeaderMap::new();
        headers.insert("x-any", HeaderValue::try_from(value).unwrap());
        let keys = Keys {
            id: "ID".to_owned(),
            secret: "s".to_owned(),
            session: Some("session".to_owned()),
        };
        let scope = Scope { region: "r", service: "aps", at: NOON };

        let mut request = Request { method: "POST", url: &url, headers: &mut headers, body: &body };
        sign(&keys, scope, &mut request).unwrap();

        let account = Account { id: "ID", secret: "s", session: Some("session"), region: "r", service: "aps" };
        headers.insert("host", HeaderValue::from_static("h:8443"));
        let arrived = loopback::Request {
            method: "POST".to_owned(),
            target: url.as_str().strip_prefix("https://h:8443").unwrap().to_owned(),
            version: http::Version::HTTP_11,
            headers,
            body: body.into(),
        };
        prop_assert_eq!(account.verify(&arrived), Ok(()));
    }
}

#[test]
fn keys_are_not_shown() {
    let keys = Keys {
        id: "AKIDEXAMPLE".to_owned(),
        secret: "wJalrXUtnFEMI".to_owned(),
        session: Some("session".to_owned()),
    };

    assert_eq!(format!("{keys:?}"), "<keys>");
}
