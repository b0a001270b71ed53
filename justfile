# Commands for maintainers. `just` lists them; install it with `cargo install just` or `pip install rust-just`.

_list:
    @just --list --unsorted

# Run everything in one process: servers, migrations, API and workers
run *ARGS:
    cargo run -- up {{ARGS}}

# Run all tests; arguments go to `cargo test`
test *ARGS:
    cargo test {{ARGS}}

# Check format and lints
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Regenerate openapi.json
openapi:
    cargo build
    cargo run --quiet -- openapi > openapi.json

# Regenerate .sqlx after a change of queries or migrations
sqlx:
    .ci/sqlx update

# Regenerate docs/configuration.md and .env.example from core/src/platform/config/settings.rs
settings:
    cargo build
    cargo run --quiet -- settings --format markdown > docs/configuration.md
    cargo run --quiet -- settings --format env > .env.example

# Fuzz the parsers, all targets or the named ones (FUZZ_SECONDS sets the time per target)
fuzz *TARGETS:
    .ci/fuzz {{TARGETS}}

# Check the API contract: generated clients, Schemathesis, docs page
contract:
    cargo build
    .ci/contract

# Run the benchmarks: `all` takes half an hour
bench *ARGS='all':
    cargo build --release
    cargo run --release --package bench -- {{ARGS}}

# Build the release binary
release:
    cargo build --release --locked --package parlance

# Run everything that CI runs
ci:
    .ci/run
