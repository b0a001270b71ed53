//! Fuzz checks of the parsers of untrusted bytes.
//!
//! A check passes the bytes to one of our parsers and panics if the result violates the parser's guarantees.
//! Checks do not depend on a fuzzer.
//!
//! `fuzz_targets/` has a program per check, `corpus/` its inputs. `.ci/fuzz` builds and runs them, as does
//! `cargo fuzz run -s none chunk`.

pub mod bodies;
pub mod chunk;
pub mod extract;
pub mod markers;
pub mod passages;
pub mod robots;
pub mod sitemap;

/// Defines the program of a check: a libFuzzer target with `--cfg fuzzing`, which `cargo fuzz` and `.ci/fuzz`
/// set; otherwise a program that checks the files it is given, so that the workspace builds without C++.
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

/// Checks the files named on the command line.
///
/// # Errors
/// When a file cannot be read.
pub fn replay(check: fn(&[u8])) -> std::io::Result<()> {
    std::env::args_os().skip(1).try_for_each(|file| {
        eprintln!("{}", file.display());
        check(&std::fs::read(file)?);
        Ok(())
    })
}

/// Decodes bytes as lossy UTF-8.
fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The characters at a span.
fn at(characters: &[char], span: &std::ops::Range<usize>) -> String {
    assert!(span.start <= span.end && span.end <= characters.len(), "{span:?} is out of bounds");
    characters.get(span.clone()).unwrap_or_default().iter().collect()
}
