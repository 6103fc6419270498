# just          this list
# CI runs the same words.

_list:
    @just --list --unsorted

# formatting, lints, documentation, licences and advisories
check: lint deny

# formatting, lints, documentation
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo clippy --test real -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

# licences, advisories, bans: needs cargo-deny
deny:
    cargo deny check

# all that needs only cargo; with a word, the tests whose names have it
test *filter:
    cargo test {{ filter }}

# everything, on real parts; --quick leaves them out
all *options:
    tests/run {{ options }}

# criterion; with a word, only that bench
bench *name:
    cargo bench {{ if name == "" { "" } else { "--bench " + name } }}

# the bridge, a store and simulated Flink jobs on loopback
run *options:
    ./run-demo {{ options }}

# coverage: needs cargo-llvm-cov
cover:
    cargo llvm-cov --html
