//! The web configuration file, in the very keys of Prometheus' exporter-toolkit, and what our own file adds to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use http::{HeaderName, HeaderValue};
use rustls::CipherSuite;

use super::error::{ConfigError, Fault, Notice, Position};
use super::reader::{Block, Item, NotYet, Reader};
use super::tree::{self, Node, Value};
use super::value::{any, one_of, switch};
use super::word::header_value;
use crate::api::{
    Clients, HashError, PasswordHash, Pem, Right, Rights, TlsConfig, User, Versions, WebConfig,
};

const NOT_YET: NotYet = &[(
    "rate_limit",
    "take it out: connections are limited by http.max_connections",
)];

/// Every header that Prometheus lets be set, with its values where these are given.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
    ("Content-Security-Policy", &[]),
];

/// What Go calls its cipher suites; `None` where they are not spoken here.
const CIPHER_SUITES: &[(&str, Option<CipherSuite>)] = &[
    (
        "TLS_AES_128_GCM_SHA256",
        Some(CipherSuite::TLS13_AES_128_GCM_SHA256),
    ),
    (
        "TLS_AES_256_GCM_SHA384",
        Some(CipherSuite::TLS13_AES_256_GCM_SHA384),
    ),
    (
        "TLS_CHACHA20_POLY1305_SHA256",
        Some(CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        Some(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        Some(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        Some(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        Some(CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        Some(CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        Some(CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", None),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", None),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", None),
    ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", None),
];

/// A version of TLS, older before newer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    Tls12,
    Tls13,
}

/// The words of `client_auth_type`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Policy {
    None,
    Request,
    RequireAny,
    VerifyIfGiven,
    RequireAndVerify,
}

/// A web configuration file, checked but for the certificates that it names.
#[derive(Debug)]
pub struct WebFile {
    /// What it says.
    pub config: WebConfig,
    /// What is allowed but has no effect here.
    pub notices: Vec<Notice>,
    places: Vec<(String, Position)>,
}

impl WebFile {
    /// Reads the text of a file that lies in `folder`. Nothing is taken from the environment: Prometheus takes nothing.
    ///
    /// # Errors
    /// Every mistake, in the order of the file; or the one place where it is no YAML.
    pub fn from_yaml(text: &str, folder: &Path) -> Result<Self, Vec<ConfigError>> {
        let tree = tree::parse(text).map_err(|error| vec![error])?;
        // a variable that stands for itself stays as it is written
        let itself = |name: &str| Some(format!("${{{name}}}"));
        let reader = Reader::new(folder, &itself);
        let config = read(&reader.root(tree.as_ref()));
        let (errors, notices) = reader.into_findings();
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut places = Vec::new();
        if let Some(tree) = &tree {
            note_places(tree, "", &mut places);
        }
        Ok(Self {
            config,
            notices,
            places,
        })
    }

    /// Where a field stands, by its path; for mistakes that show only when its value is used.
    #[must_use]
    pub fn position_of(&self, path: &str) -> Option<Position> {
        let place = |path: &str| {
            let found = self.places.iter().find(|(known, _)| known == path);
            found.map(|(_, position)| *position)
        };
        // `key` may stand for `key_file`
        place(path).or_else(|| place(path.strip_suffix("_file")?))
    }
}

fn note_places(node: &Node, path: &str, places: &mut Vec<(String, Position)>) {
    let Value::Block(entries) = &node.value else {
        return;
    };
    for entry in entries {
        let path = match path {
            "" => entry.key.clone(),
            path => format!("{path}.{}", entry.key),
        };
        note_places(&entry.node, &path, places);
        places.push((path, entry.node.at));
    }
}

/// `http.rights` and `http.public_probes`, which mean something only beside `http.web_config_file`.
pub(super) fn protection(http: &Block<'_>) -> (Option<Rights>, bool) {
    let rights = http.has("rights").then(|| rights(&http.block("rights")));
    let public_probes = http.text("public_probes", switch).unwrap_or(false);
    if !http.has("web_config_file") {
        if rights.is_some() {
            let way_out = "add http.web_config_file with basic_auth_users, or take the rights out";
            http.refuse("rights", "has no users to hold for", way_out);
        }
        if public_probes {
            http.remark(
                "public_probes",
                "without http.web_config_file everything is public anyway",
            );
        }
    }
    (rights, public_probes)
}

fn rights(block: &Block<'_>) -> Rights {
    const WORDS: &[(&str, Right)] = &[
        ("push", Right::Push),
        ("read", Right::Read),
        ("admin", Right::Admin),
    ];
    let mut rights = BTreeMap::new();
    for (user, _, granted) in block.pairs() {
        let granted: BTreeSet<Right> = granted
            .items()
            .iter()
            .filter_map(|item| item.text(one_of(WORDS)))
            .collect();
        rights.insert(user.to_owned(), granted);
    }
    rights
}

fn read(root: &Block<'_>) -> WebConfig {
    let http = root.block("http_server_config");
    let config = WebConfig {
        tls: tls(&root.block("tls_server_config")),
        http2: http.text("http2", switch).unwrap_or(true),
        headers: headers(&http.block("headers")),
        users: users(&root.block("basic_auth_users")),
    };
    http.finish(&[]);
    root.finish(NOT_YET);
    config
}

fn headers(block: &Block<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    for (name, at, item) in block.pairs() {
        let Some((_, values)) = HEADERS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = HEADERS.iter().map(|(known, _)| *known).collect();
            let way_out = format!("set {}, as Prometheus allows", known.join(", "));
            block.reject_key(name, at, Fault::new("is no header that can be set here", way_out));
            continue;
        };
        let value = item.text(|text| {
            if !values.is_empty() && !values.contains(&text) {
                let way_out = format!("write {}", values.join(" or "));
                return Err(Fault::new("is not known here", way_out));
            }
            header_value(text)
        });
        let value = value.and_then(|value| HeaderValue::try_from(value).ok());
        headers.extend(HeaderName::try_from(name).ok().zip(value));
    }
    headers
}

fn users(block: &Block<'_>) -> Vec<User> {
    let mut users = Vec::new();
    for (name, at, item) in block.pairs() {
        if name.contains(':') {
            let fault = Fault::new("has a colon in it", "a user of basic_auth cannot; check the name");
            block.reject_key(name, at, fault);
        }
        let hash = item.secret(|text| {
            PasswordHash::try_new(text).map_err(|error| {
                let way_out = match error {
                    HashError::NoHash => "write what `htpasswd -nBC 10 <user>` prints behind the colon",
                    HashError::Cost(_) => "make it anew with `htpasswd -nBC 10 <user>`",
                };
                Fault::new(error.to_string(), way_out)
            })
        });
        users.extend(hash.map(|hash| User {
            name: name.to_owned(),
            hash,
        }));
    }
    users
}

fn tls(block: &Block<'_>) -> Option<TlsConfig> {
    let certificate = pem(block, "cert_file", "cert");
    let key = pem(block, "key_file", "key");
    let policy = policy(block);
    let authority = pem(block, "client_ca_file", "client_ca");
    let is_meant = ["cert_file", "cert", "key_file", "key"]
        .iter()
        .any(|key| block.has(key))
        || ["client_ca_file", "client_ca", "client_auth_type"]
            .iter()
            .any(|key| block.has(key));
    let clients = clients(block, policy, authority);
    let versions = versions(block);
    let cipher_suites = cipher_suites(&block.items("cipher_suites"));
    for (key, why) in [
        ("curve_preferences", "the TLS library chooses the curve"),
        ("prefer_server_cipher_suites", "the server always chooses"),
    ] {
        if block.has(key) {
            block.remark(key, format!("is without effect: {why}"));
        }
    }
    block.finish(&[]);
    if !is_meant {
        return None;
    }
    for (file, inline) in [("cert_file", "cert"), ("key_file", "key")] {
        if !block.has(file) && !block.has(inline) {
            block.miss(file, "TLS needs both cert_file and key_file");
        }
    }
    Some(TlsConfig {
        certificate: certificate?,
        key: key?,
        clients: clients?,
        versions,
        cipher_suites,
    })
}

/// What is in a file, or in the configuration itself; the file wins, as in Prometheus.
fn pem(block: &Block<'_>, file: &'static str, inline: &'static str) -> Option<Pem> {
    let text = block.secret(inline, any).map(Pem::Inline);
    let file = block.file(file).map(Pem::File);
    file.or(text)
}

fn policy(block: &Block<'_>) -> Option<Policy> {
    const WORDS: &[(&str, Policy)] = &[
        ("NoClientCert", Policy::None),
        ("RequestClientCert", Policy::Request),
        ("RequireAnyClientCert", Policy::RequireAny),
        ("VerifyClientCertIfGiven", Policy::VerifyIfGiven),
        ("RequireAndVerifyClientCert", Policy::RequireAndVerify),
    ];
    if !block.has("client_auth_type") {
        return Some(Policy::None);
    }
    block.text("client_auth_type", |text| match text {
        // the old word for it, which Prometheus still takes
        "RequireClientCert" => Ok(Policy::RequireAny),
        text => one_of(WORDS)(text),
    })
}

/// The policy with what belongs to it; `None` where a mistake has been reported.
fn clients(block: &Block<'_>, policy: Option<Policy>, authority: Option<Pem>) -> Option<Clients> {
    let names = names(block, policy?);
    let has_authority = block.has("client_ca_file") || block.has("client_ca");
    match policy? {
        Policy::None if has_authority => {
            let way_out = "add client_auth_type: RequireAndVerifyClientCert, or take client_ca_file out";
            block.miss("client_auth_type", way_out);
            return None;
        }
        Policy::VerifyIfGiven | Policy::RequireAndVerify if !has_authority => {
            let way_out = "name the authority whose certificates are let in (Go would take any public one)";
            block.miss("client_ca_file", way_out);
            return None;
        }
        _ => {}
    }
    Some(match policy? {
        Policy::None => Clients::Unasked,
        Policy::Request => Clients::Asked,
        Policy::RequireAny => Clients::Any { names },
        Policy::VerifyIfGiven => Clients::VerifiedIfGiven {
            authority: authority?,
        },
        Policy::RequireAndVerify => Clients::Verified {
            authority: authority?,
            names,
        },
    })
}

/// `client_allowed_sans`, which asks for a policy under which every client has a certificate.
fn names(block: &Block<'_>, policy: Policy) -> Option<Vec<String>> {
    const KEY: &str = "client_allowed_sans";
    if !block.has(KEY) {
        return None;
    }
    let items = block.items(KEY);
    let names: Vec<String> = items
        .iter()
        .filter_map(|item: &Item<'_>| item.text(any))
        .collect();
    if !matches!(policy, Policy::RequireAny | Policy::RequireAndVerify) {
        let way_out = "set it to RequireAndVerifyClientCert or RequireAnyClientCert, or take the names out";
        block.refuse(KEY, "does not go with this client_auth_type", way_out);
    } else if items.is_empty() {
        block.refuse(KEY, "names nobody", "add a name, or take it out to let all in");
    }
    Some(names)
}

fn versions(block: &Block<'_>) -> Versions {
    const WORDS: &[(&str, Version)] = &[("TLS12", Version::Tls12), ("TLS13", Version::Tls13)];
    let version = |text: &str| match text {
        "TLS10" | "TLS11" => Err(Fault::new(
            "is not spoken here",
            "write TLS12 or TLS13: older TLS is broken",
        )),
        text => one_of(WORDS)(text),
    };
    let least = block.text("min_version", version).unwrap_or(Version::Tls12);
    let most = block.text("max_version", version).unwrap_or(Version::Tls13);
    if least > most {
        let fault = Fault::new("is less than min_version", "leave max_version out");
        block.reject("max_version", "TLS12", fault);
    }
    match (least, most) {
        (Version::Tls12, Version::Tls12) => Versions::Only12,
        (Version::Tls13, _) => Versions::Only13,
        _ => Versions::Both,
    }
}

fn cipher_suites(items: &[Item<'_>]) -> Vec<CipherSuite> {
    let mut chosen = Vec::new();
    for item in items {
        match item.text(one_of(CIPHER_SUITES)) {
            Some(None) => item.remark("is not spoken here, so it is left out"),
            Some(Some(suite)) => chosen.push(suite),
            None => {}
        }
    }
    chosen
}

#[cfg(test)]
mod tests;
