//! temp
use std::io::Write;
fn main() {
    std::io::stdout().write_all(parlance_api::openapi_json().as_bytes()).unwrap();
}
