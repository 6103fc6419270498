//! `grpc:`, the door for streams.

use super::error::Fault;
use super::file::count;
use super::reader::{Block, Item};
use super::value::{NUMBER, any, one_of, switch};
use super::word::address;
use crate::api::{GrpcConfig, GrpcTls, Role, Token};

const ROLES: &[(&str, Role)] = &[
    ("writer", Role::Writer),
    ("viewer", Role::Viewer),
    ("operator", Role::Operator),
    ("admin", Role::Admin),
];

/// Reads the block.
pub(super) fn read(block: &Block<'_>) -> GrpcConfig {
    let defaults = GrpcConfig::default();
    let connections = NUMBER.within(
        (1, "or nobody can connect"),
        (100_000, "each takes a file descriptor and some KiB of memory"),
    );
    let config = GrpcConfig {
        listen: block.text("listen", address),
        tls: block.has("tls").then(|| tls(&block.block("tls"))).flatten(),
        tokens: tokens(&block.items("tokens")),
        insecure: block.text("insecure", switch).unwrap_or(defaults.insecure),
        max_connections: block
            .text("max_connections", connections)
            .map_or(defaults.max_connections, count),
    };
    // a token that could not be read has been reported, and would have closed the door
    if !block.has("tokens")
        && let Err(fault) = judge(&config)
    {
        block.reject("listen", config.address(), fault);
    }
    if config.is_beyond_loopback() && !config.tokens.is_empty() && config.tls.is_none() {
        let text = "travel unencrypted: add grpc.tls, or let only trusted networks come here";
        block.remark("tokens", text);
    }
    if config.insecure && !config.is_open() {
        block.remark(
            "insecure",
            "has no effect: who comes in has to show a token or certificate",
        );
    }
    block.finish(&[]);
    config
}

/// Whether the door may be as open as it is.
pub(super) fn judge(config: &GrpcConfig) -> Result<(), Fault> {
    if !config.is_beyond_loopback() || !config.is_open() || config.insecure {
        return Ok(());
    }
    Err(Fault::new(
        "lets everybody in who reaches this machine",
        "add grpc.tokens or grpc.tls with client_ca_file, or write grpc.insecure: true if that is meant",
    ))
}

fn tls(block: &Block<'_>) -> Option<GrpcTls> {
    let certificate = block.file("cert_file");
    let key = block.file("key_file");
    for name in ["cert_file", "key_file"] {
        if !block.has(name) {
            block.miss(name, "TLS needs both cert_file and key_file");
        }
    }
    let client_ca = block.file("client_ca_file");
    block.finish(&[]);
    Some(GrpcTls {
        certificate: certificate?,
        key: key?,
        client_ca,
    })
}

fn tokens(items: &[Item<'_>]) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for item in items {
        let block = item.block();
        let name = block.text("name", any);
        let role = block.text("role", one_of(ROLES));
        let file = block.file("token_file");
        for (key, way_out) in [
            ("name", "say whose token it is, for the log"),
            ("role", "write writer for an agent; or viewer, operator, admin"),
            ("token_file", "name the file that the token is in"),
        ] {
            if !block.has(key) {
                block.miss(key, way_out);
            }
        }
        block.finish(&[("token", "put it into a file and name that as token_file")]);
        let (Some(name), Some(role), Some(file)) = (name, role, file) else {
            continue;
        };
        if tokens.iter().any(|known| known.name == name) {
            let fault = Fault::new("is the name of another token", "give each a name of its own");
            block.reject("name", &name, fault);
        }
        tokens.push(Token { name, role, file });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;

    fn read(yaml: &str) -> Result<Config, String> {
        let config = Config::from_yaml(yaml, Path::new("etc"), &|_| None);
        config.map_err(|errors| errors.iter().map(|error| format!("{error}\n")).collect())
    }

    #[test]
    fn the_door_is_on_this_machine_alone_unless_told_otherwise() {
        let config = read("").unwrap().grpc;

        assert_eq!(config.address(), "127.0.0.1:9092");
        assert!(!config.is_beyond_loopback() && config.is_open());
    }

    #[test]
    fn tokens_and_certificates_are_read_with_their_files_beside_the_configuration() {
        let config = read(
            "grpc: {listen: ':9092', tls: {cert_file: c, key_file: k, client_ca_file: a}, tokens: [{name: n, role: writer, token_file: t}]}",
        );

        let grpc = config.unwrap().grpc;
        assert_eq!(grpc.address(), "0.0.0.0:9092");
        assert_eq!(grpc.tokens[0].file, Path::new("etc/t"));
        assert_eq!(grpc.tls.unwrap().client_ca.unwrap(), Path::new("etc/a"));
    }

    #[test]
    fn a_door_open_to_the_network_is_refused_unless_that_is_meant() {
        let open = "grpc: {listen: '0.0.0.0:9092'}";
        let closed = "grpc: {listen: '0.0.0.0:9092', tokens: [{name: n, role: writer, token_file: t}]}";
        let certified = "grpc: {listen: 'host:9092', tls: {cert_file: c, key_file: k, client_ca_file: a}}";

        let refused = read(open).unwrap_err();

        assert_eq!(
            refused,
            "grpc.listen: \"0.0.0.0:9092\" lets everybody in who reaches this machine: add grpc.tokens or grpc.tls with client_ca_file, or write grpc.insecure: true if that is meant\n"
        );
        for allowed in [
            closed.to_owned(),
            certified.to_owned(),
            "grpc: {listen: 'localhost:9092'}".to_owned(),
            "grpc: {listen: '[::1]:9092'}".to_owned(),
            open.replace('}', ", insecure: true}"),
        ] {
            assert!(read(&allowed).is_ok(), "{allowed}");
        }
    }

    #[test]
    fn what_is_missing_of_a_token_is_asked_for() {
        let refused = read("grpc: {tokens: [{name: n, token: secret}]}").unwrap_err();

        assert!(refused.contains("grpc.tokens[0].role"), "{refused}");
        assert!(
            refused.contains("put it into a file and name that as token_file"),
            "{refused}"
        );
        assert!(!refused.contains("secret"), "{refused}");
    }

    #[test]
    fn keys_of_http_are_refused_where_the_url_is_one_of_grpc() {
        let remote = |more: &str| {
            read(&format!(
                "remote_write: [{{name: r, url: 'grpc://h:9092'{more}}}]"
            ))
        };

        let refused =
            remote(", proxy_url: 'http://p:1', follow_redirects: true, enable_http2: true, round_robin_dns: true, metadata_config: {send: true}, limits: {max_age: 1h}, queue_config: {retry_on_http_429: false, sample_age_limit: 1h}").unwrap_err();

        for key in [
            "proxy_url",
            "follow_redirects",
            "enable_http2",
            "round_robin_dns",
            "metadata_config",
            "limits.max_age",
            "queue_config.retry_on_http_429",
            "queue_config.sample_age_limit",
        ] {
            assert!(
                refused.contains(&format!(
                    "remote_write[0].{key}: the value means nothing with a grpc:// URL"
                )),
                "{refused}"
            );
        }
        let takes = remote("").unwrap().remotes[0].takes;
        assert!(takes.exemplars && takes.native_histograms);
        assert!(
            !remote(", send_exemplars: false").unwrap().remotes[0]
                .takes
                .exemplars
        );
        let refused = read("remote_write: [{name: r, url: 'grpc://h:9092/api/v1/write'}]").unwrap_err();
        assert!(
            refused.contains("has something behind host and port"),
            "{refused}"
        );
    }
}
