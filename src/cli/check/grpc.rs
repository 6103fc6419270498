//! What `check` says about the gRPC door.

use std::fmt::Write as _;

use crate::api::GrpcConfig;

/// What the door is and who comes in, in a sentence. Shows no secret.
pub(super) fn describe(grpc: &GrpcConfig) -> String {
    let mut line = format!("listens on {} for gRPC streams", grpc.address());
    if grpc.listen.is_none() {
        line += " if nobody else has that port";
    }
    match &grpc.tls {
        None => line += ", without encryption",
        Some(tls) => {
            let _ = write!(
                line,
                ", by TLS with the certificate {}",
                tls.certificate.display()
            );
            if let Some(authority) = &tls.client_ca {
                let _ = write!(line, "; asks for a certificate of {}", authority.display());
            }
        }
    }
    if grpc.tokens.is_empty() {
        line += "; asks for no token";
    } else {
        let named = grpc.tokens.iter();
        let tokens: Vec<String> = named
            .map(|token| format!("{} ({})", token.name, token.role.as_str()))
            .collect();
        let _ = write!(line, "; takes the tokens of {}", tokens.join(", "));
    }
    line + "\n"
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[track_caller]
    fn said(yaml: &str) -> String {
        describe(
            &Config::from_yaml(yaml, Path::new("/etc"), &|_| None)
                .unwrap()
                .grpc,
        )
    }

    #[test]
    fn the_door_is_described_with_who_comes_in() {
        assert_eq!(
            said(""),
            "listens on 127.0.0.1:9092 for gRPC streams if nobody else has that port, without encryption; asks for no token\n"
        );
        assert_eq!(
            said(
                "grpc: {listen: ':1', tls: {cert_file: c, key_file: k, client_ca_file: a}, tokens: [{name: n, role: writer, token_file: t}]}"
            ),
            "listens on 0.0.0.0:1 for gRPC streams, by TLS with the certificate /etc/c; asks for a certificate of /etc/a; takes the tokens of n (writer)\n"
        );
    }
}
