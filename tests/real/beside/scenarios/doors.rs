//! What is asked beside pushes.

use crate::beside::request::Request;
use crate::beside::{Scenario, get, post, put};

const CORS: &[&str] = &[
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "cache-control",
];
const JSON: &[&str] = &[
    "content-type",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "cache-control",
];

pub(super) const CLOSED: &[Scenario] = &[
    Scenario::new(
        "H01, H02: health",
        &[
            get("/-/healthy"),
            get("/-/ready"),
            post("/-/healthy", ""),
            Request::new("HEAD", "/-/ready", ""),
            Request::new("OPTIONS", "/-/ready", ""),
            get("/-/ready/"),
            put("/-/ready/", ""),
        ],
    ),
    Scenario::new("A02: nothing stored", &[get("/api/v1/metrics").comparing(JSON)]),
    Scenario::new("A01: status", &[get("/api/v1/status").comparing(JSON)]),
    Scenario::new(
        "A05: OPTIONS of the API",
        &[
            Request::new("OPTIONS", "/api/v1/metrics", "").comparing(CORS),
            Request::new("OPTIONS", "/api/v1/status", "").comparing(CORS),
            Request::new("OPTIONS", "/api/v1/unheard-of", "").comparing(CORS),
            Request::new("OPTIONS", "/api/v1/", "").comparing(CORS),
        ],
    ),
    Scenario::new(
        "A05: other methods of the API",
        &[
            post("/api/v1/metrics", "").comparing(CORS),
            Request::new("DELETE", "/api/v1/status", ""),
            Request::new("HEAD", "/api/v1/metrics", ""),
            get("/api/v1/unheard-of"),
            get("/api/v1/"),
            get("/api/v1"),
            // the address there lacks what stands before it
            get("/api/v1/metrics/").comparing(&[]),
        ],
    ),
    Scenario::new(
        "M05: wiping that is not switched on",
        &[
            put("/metrics/job/j", "a 1\n"),
            put("/api/v1/admin/wipe", ""),
            post("/api/v1/admin/wipe", ""),
            get("/api/v1/admin/wipe"),
        ],
    ),
    Scenario::new(
        "M07: quitting that is not switched on",
        &[
            put("/-/quit", ""),
            post("/-/quit", ""),
            get("/-/quit"),
            Request::new("DELETE", "/-/quit", ""),
        ],
    ),
    Scenario::new(
        "what nobody has heard of",
        &[
            get("/unheard-of"),
            put("/unheard-of", "a 1\n"),
            get("/-/unheard-of"),
            get("/metrics/x/y"),
        ],
    ),
];

pub(super) const OPEN: &[Scenario] = &[
    Scenario::new(
        "H60: wiping",
        &[
            put("/metrics/job/j", "a 1\n"),
            put("/metrics/job/j/instance/i", "a 1\n"),
            put("/metrics/job@base64/dGVzdC9qb2I=/a@base64/=", "b 1\n"),
            put("/metrics/job/ghost", "b 1 1000\n"),
            put("/metrics/job/other", "c 1\n"),
            put("/api/v1/admin/wipe", ""),
        ],
    ),
    Scenario::new("H60: wiping nothing", &[put("/api/v1/admin/wipe", "")]),
    Scenario::new(
        "M05: wiping by other methods",
        &[
            put("/metrics/job/j", "a 1\n"),
            post("/api/v1/admin/wipe", ""),
            get("/api/v1/admin/wipe"),
            Request::new("DELETE", "/api/v1/admin/wipe", ""),
            Request::new("OPTIONS", "/api/v1/admin/wipe", "").comparing(CORS),
        ],
    ),
    Scenario::new("M07: quitting by GET", &[get("/-/quit")]),
];

pub(super) const GUARDED: &[Scenario] = &[
    Scenario::new(
        "nobody comes in without a password",
        &[
            put("/metrics/job/j", "a 1\n").comparing(ASKED),
            get("/metrics").comparing(ASKED),
            get("/api/v1/metrics").comparing(ASKED),
            put("/metrics/job/j", "a 1\n").with(&[("Authorization", "Basic b3BzOndyb25n")]),
            put("/metrics/job/j", "a 1\n").with(&[("Authorization", "Basic %%%")]),
            put("/metrics/job/j", "a 1\n").with(&[("Authorization", "Bearer b3BzOndyb25n")]),
            get("/unheard-of"),
        ],
    ),
    Scenario::new(
        "whoever has one does",
        &[put("/metrics/job/j", "a 1\n").with(crate::beside::request::OPS)],
    ),
];

const ASKED: &[&str] = &["www-authenticate"];
