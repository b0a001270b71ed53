//! The committed specification.

use std::path::Path;

#[test]
fn the_committed_specification_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.json");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed.trim_end() == parlance_api::openapi_json(),
        "openapi.json is stale; run `cargo run -- openapi > openapi.json`"
    );
}
