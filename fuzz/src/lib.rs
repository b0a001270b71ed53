//! What fuzzers run. A check hands a stranger's bytes to one reader of ours and holds what comes of it against what that
//! reader promises: it panics when a promise is broken, and it needs no fuzzer.
//!
//! `fuzz_targets/` makes a program of each check, `corpus/` keeps what each has met, `.ci/fuzz` builds and runs them,
//! and `cargo fuzz run -s none chunk` does too.

pub mod bodies;
pub mod chunk;
pub mod extract;
pub mod markers;
pub mod passages;
pub mod robots;
pub mod sitemap;

/// Makes a program of a check: libFuzzer's where the compiler is told `--cfg fuzzing`, as `cargo fuzz` and `.ci/fuzz`
/// tell it; elsewhere one that checks the files it is given, so that the workspace needs no C++ to be built and linted.
#[macro_export]
macro_rules! target {
    ($check:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|input: &[u8]| $check(input));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            $crate::replay($check)
        }
    };
}

/// Checks the files that the command line names.
///
/// # Errors
/// When one cannot be read.
pub fn replay(check: fn(&[u8])) -> std::io::Result<()> {
    std::env::args_os().skip(1).try_for_each(|file| {
        eprintln!("{}", file.display());
        check(&std::fs::read(file)?);
        Ok(())
    })
}

/// Bytes as text, as far as they are.
fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A part of a text, by its characters.
fn at(characters: &[char], span: &std::ops::Range<usize>) -> String {
    assert!(span.start <= span.end && span.end <= characters.len(), "{span:?} is outside of the text");
    characters.get(span.clone()).unwrap_or_default().iter().collect()
}
