//! What `check` says about who may come in, and how.

use std::fmt::Write as _;

use crate::api::{Clients, Pem, Right, TlsConfig, User, Versions};
use crate::app::Protection;
use crate::config::Config;

/// What protects the door, a sentence a line. Shows no secret.
pub(super) fn describe(config: &Config, protection: &Protection) -> String {
    let web = &protection.config;
    let mut lines = vec![web.tls.as_ref().map_or_else(
        || "speaks plain HTTP".to_owned(),
        |tls| encrypting(tls, if web.http2 { "HTTP/2 and 1.1" } else { "HTTP/1.1" }),
    )];
    if web.users.is_empty() {
        lines.push("asks nobody for a password".to_owned());
    } else {
        lines.push(admitting(config, &web.users));
        if config.door.public_probes {
            lines.push("answers /-/healthy and /-/ready without a password".to_owned());
        }
    }
    lines.join("\n") + "\n"
}

fn encrypting(tls: &TlsConfig, http: &str) -> String {
    let versions = match tls.versions {
        Versions::Only12 => "1.2",
        Versions::Both => "1.2 and 1.3",
        Versions::Only13 => "1.3",
    };
    let mut line = format!(
        "speaks TLS {versions} with the certificate {}",
        source(&tls.certificate)
    );
    let _ = write!(line, ", {http}; ");
    let of = |names: &Option<Vec<String>>| {
        let names = names
            .as_ref()
            .map(|names| format!(" for one of {}", names.join(", ")));
        names.unwrap_or_default()
    };
    let _ = match &tls.clients {
        Clients::Unasked => write!(line, "asks clients for no certificate"),
        Clients::Asked => write!(line, "asks clients for a certificate, and takes any or none"),
        Clients::Any { names } => write!(line, "wants any certificate of clients{}", of(names)),
        Clients::VerifiedIfGiven { authority } => {
            write!(
                line,
                "takes clients without certificate, or with one of the authority {}",
                source(authority)
            )
        }
        Clients::Verified { authority, names } => write!(
            line,
            "wants a certificate of clients{} by the authority {}",
            of(names),
            source(authority)
        ),
    };
    line
}

fn source(pem: &Pem) -> String {
    match pem {
        Pem::File(path) => format!("in {}", path.display()),
        Pem::Inline(_) => "in the web configuration file".to_owned(),
    }
}

fn admitting(config: &Config, users: &[User]) -> String {
    let granted = |user: &User| match &config.door.rights {
        None => "everything".to_owned(),
        Some(rights) => match rights.get(&user.name) {
            Some(granted) if !granted.is_empty() => {
                let words: Vec<&str> = granted.iter().copied().map(Right::as_str).collect();
                words.join(", ")
            }
            _ => "nothing".to_owned(),
        },
    };
    let users: Vec<String> = users
        .iter()
        .map(|user| format!("{} ({})", user.name, granted(user)))
        .collect();
    format!("lets in users by password: {}", users.join(", "))
}
