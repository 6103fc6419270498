//! Who a remote is told that we are: one of `basic_auth`, `authorization`, `bearer_token`, `oauth2`, `sigv4`, `azuread`,
//! `google_iam`, or the user of the URL.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::error::Fault;
use super::reader::Block;
use super::value::any;
use super::word::{header_value, scheme};
use super::{cloud, oauth2};
use crate::forward::{Auth, Secret};

/// A key of a remote, and how to read what stands there.
type Way = (&'static str, fn(&Block<'_>) -> Auth);

const WAYS: [Way; 8] = [
    ("basic_auth", basic),
    ("authorization", authorization),
    ("bearer_token", bearer_token),
    ("bearer_token_file", bearer_token_file),
    ("oauth2", oauth2::read),
    ("sigv4", cloud::sigv4),
    ("azuread", cloud::azuread),
    ("google_iam", cloud::google_iam),
];

/// Reads the one way of authentication that `remote` names, and takes the user out of `url`, where it would be seen.
pub(super) fn read(remote: &Block<'_>, url: Option<&mut Url>) -> Auth {
    let mut found: Option<(&'static str, Auth)> =
        url.and_then(of_url).map(|auth| ("the user in the url", auth));
    for (key, read) in WAYS {
        if !remote.has(key) {
            continue;
        }
        let auth = read(remote);
        match &found {
            Some((first, _)) => remote.refuse(
                key,
                &format!("may not stand beside {first}"),
                "keep one of the two",
            ),
            None => found = Some((key, auth)),
        }
    }
    found.map_or(Auth::None, |(_, auth)| auth)
}

/// `https://user:password@host/`: as a ready header, so that neither is ever shown.
pub(super) fn of_url(url: &mut Url) -> Option<Auth> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut user: Vec<u8> = percent_decode_str(url.username()).collect();
    user.push(b':');
    user.extend(percent_decode_str(url.password().unwrap_or_default()));
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    debug_assert!(
        cleared.is_ok(),
        "a URL of the web has a host, and so may lose its user"
    );
    Some(Auth::Header {
        scheme: "Basic".to_owned(),
        credentials: Secret::Inline(STANDARD.encode(user)),
    })
}

fn basic(remote: &Block<'_>) -> Auth {
    let block = remote.block("basic_auth");
    let username = secret(&block, "username", "username_file", |text| match text {
        text if text.contains(':') => Err(Fault::new(
            "has a colon in it",
            "a user of basic_auth cannot; check the name",
        )),
        text => any(text),
    });
    if !block.has("username") && !block.has("username_file") {
        block.miss("username", "add it, or take basic_auth out");
    }
    let password =
        secret(&block, "password", "password_file", any).unwrap_or_else(|| Secret::Inline(String::new()));
    block.finish(&[
        ("username_ref", "use username_file"),
        ("password_ref", "use password_file"),
    ]);
    Auth::Basic {
        username: username.unwrap_or_else(|| Secret::Inline(String::new())),
        password,
    }
}

fn authorization(remote: &Block<'_>) -> Auth {
    let block = remote.block("authorization");
    let scheme = block
        .secret("type", scheme)
        .unwrap_or_else(|| "Bearer".to_owned());
    let credentials = secret(&block, "credentials", "credentials_file", header_value);
    if !block.has("credentials") && !block.has("credentials_file") {
        block.miss(
            "credentials",
            "add it or credentials_file, or take authorization out",
        );
    }
    block.finish(&[("credentials_ref", "use credentials_file")]);
    Auth::Header {
        scheme,
        credentials: credentials.unwrap_or_else(|| Secret::Inline(String::new())),
    }
}

fn bearer_token(remote: &Block<'_>) -> Auth {
    let token = remote.secret("bearer_token", header_value).unwrap_or_default();
    Auth::Header {
        scheme: "Bearer".to_owned(),
        credentials: Secret::Inline(token),
    }
}

fn bearer_token_file(remote: &Block<'_>) -> Auth {
    let file = remote.file("bearer_token_file").unwrap_or_default();
    Auth::Header {
        scheme: "Bearer".to_owned(),
        credentials: Secret::File(file),
    }
}

/// A secret that stands in the block or in a file, not in both.
pub(super) fn secret(
    block: &Block<'_>,
    inline: &'static str,
    file: &'static str,
    parse: fn(&str) -> Result<String, Fault>,
) -> Option<Secret> {
    if block.has(inline) && block.has(file) {
        block.refuse(
            file,
            &format!("may not stand beside {inline}"),
            "keep one of the two",
        );
    }
    let inline = block.secret(inline, parse).map(Secret::Inline);
    block.file(file).map(Secret::File).or(inline)
}
