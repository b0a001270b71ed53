//! The child as a program of its own, for the tests: in production it is `parlance extract`.

fn main() -> std::process::ExitCode {
    parlance_extract::child::run()
}
