//! Standalone extraction child for the tests. In production it is `parlance extract`.

fn main() -> std::process::ExitCode {
    parlance_extract::child::run()
}
