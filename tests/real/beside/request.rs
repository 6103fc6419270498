//! Requests and scenarios as data.

use std::io;
use std::net::SocketAddr;

use super::Deliberate;
use crate::http::{Answer, Connection};

/// What a body is unless it is said otherwise.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The content type of pushes in protobuf.
pub(crate) const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// The user of a pair that has users; of no account to one that has none.
pub(crate) const OPS: &[(&str, &str)] = &[("Authorization", "Basic b3BzOmZha2VwYXNzd29yZA==")];

/// What a request carries.
#[derive(Clone, Copy)]
enum Body<'a> {
    /// Written out.
    Said(&'a str),
    /// Made when it is sent.
    Made(fn() -> Vec<u8>),
}

/// One question to both.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'static str,
    pub(crate) path: &'a str,
    headers: &'static [(&'static str, &'static str)],
    kind: &'static str,
    encoding: Option<&'static str>,
    accept: Option<&'static str>,
    body: Body<'a>,
    /// Headers of the answer that must be the same.
    pub(crate) compared: &'static [&'static str],
    /// The statuses there and here, where they differ.
    pub(crate) differs: Option<(Deliberate, u16, u16)>,
}

/// Requests that belong together, asked of two servers that hold nothing.
pub(crate) struct Scenario {
    /// The cases of `pushgateway.md` that it covers, and what it is about.
    pub(crate) case: &'static str,
    pub(crate) requests: &'static [Request<'static>],
    /// What is shown after the last of them differs for this reason.
    pub(crate) shown_differs: Option<Deliberate>,
}

impl Scenario {
    /// Requests after which both show the same.
    pub(crate) const fn new(case: &'static str, requests: &'static [Request<'static>]) -> Self {
        Self {
            case,
            requests,
            shown_differs: None,
        }
    }

    /// Requests after which they show different things, on purpose.
    pub(crate) const fn but(mut self, why: Deliberate) -> Self {
        self.shown_differs = Some(why);
        self
    }
}

/// A push that replaces the group.
pub(crate) const fn put(path: &'static str, body: &'static str) -> Request<'static> {
    Request::new("PUT", path, body)
}

/// A push that replaces families.
pub(crate) const fn post(path: &'static str, body: &'static str) -> Request<'static> {
    Request::new("POST", path, body)
}

/// The end of a group.
pub(crate) const fn delete(path: &'static str) -> Request<'static> {
    Request::new("DELETE", path, "")
}

/// A question.
pub(crate) const fn get(path: &'static str) -> Request<'static> {
    Request::new("GET", path, "")
}

impl<'a> Request<'a> {
    /// A request of any method.
    pub(crate) const fn new(method: &'static str, path: &'a str, body: &'a str) -> Self {
        Self {
            method,
            path,
            headers: &[],
            kind: TEXT,
            encoding: None,
            accept: None,
            body: Body::Said(body),
            compared: &["location"],
            differs: None,
        }
    }

    /// A push whose bytes are made when it is sent.
    pub(crate) const fn made(method: &'static str, path: &'a str, body: fn() -> Vec<u8>) -> Self {
        Self {
            method,
            path,
            headers: &[],
            kind: TEXT,
            encoding: None,
            accept: None,
            body: Body::Made(body),
            compared: &["location"],
            differs: None,
        }
    }

    /// Its content type.
    pub(crate) const fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// Its content encoding.
    pub(crate) const fn packed(mut self, encoding: &'static str) -> Self {
        self.encoding = Some(encoding);
        self
    }

    /// What it wants to be answered with.
    pub(crate) const fn accepting(mut self, kind: &'static str) -> Self {
        self.accept = Some(kind);
        self
    }

    /// More headers.
    pub(crate) const fn with(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }

    /// Which headers of the answer must be the same.
    pub(crate) const fn comparing(mut self, names: &'static [&'static str]) -> Self {
        self.compared = names;
        self
    }

    /// It is answered differently, on purpose: with `theirs` there and `ours` here.
    pub(crate) const fn but(mut self, why: Deliberate, theirs: u16, ours: u16) -> Self {
        self.differs = Some((why, theirs, ours));
        self
    }

    /// How messages name it.
    pub(crate) fn label(&self) -> String {
        let body = String::from_utf8_lossy(&self.bytes()).into_owned();
        let mut brief: String = body.chars().take(300).collect();
        if brief.len() < body.len() {
            brief.push_str("...");
        }
        let encoding = self.encoding.unwrap_or("-");
        format!(
            "{} {} ({} {encoding}) {brief:?}",
            self.method, self.path, self.kind
        )
    }

    /// What it carries.
    fn bytes(&self) -> Vec<u8> {
        match self.body {
            Body::Said(text) => text.as_bytes().to_vec(),
            Body::Made(make) => make(),
        }
    }

    /// Sends it on a connection of its own.
    pub(crate) fn send(&self, to: SocketAddr) -> io::Result<Answer> {
        let body = self.bytes();
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: gateway\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n",
            self.method,
            self.path,
            self.kind,
            body.len()
        );
        if let Some(encoding) = self.encoding {
            head.push_str(&format!("Content-Encoding: {encoding}\r\n"));
        }
        if let Some(kind) = self.accept {
            head.push_str(&format!("Accept: {kind}\r\n"));
        }
        for (name, value) in self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(body);
        let mut connection = Connection::open(to)?;
        if self.method == "HEAD" {
            return connection.exchange_heads(&bytes);
        }
        connection.exchange(&bytes)
    }
}
