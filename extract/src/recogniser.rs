//! Confined start of a text recognition program (OCR).
//!
//! The image may come from an attacker. This process limits itself and then becomes the program (`exec`). The
//! program keeps the limits: processor time, memory, no writing of files. On Linux with Landlock it can read
//! only system folders and the folder of the program, and cannot open a TCP connection.

use std::io::{Error, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::limits;

/// Reads the image from standard input and writes words with their positions (TSV) to standard output.
///
/// `languages` are names of Tesseract's language data, joined by `+`. Returns only if the program cannot be
/// started.
#[must_use]
pub fn run(program: &Path, languages: &str, dpi: u32) -> ExitCode {
    let error = limits::apply_to_recogniser(program).map_or_else(Error::from, |()| {
        Command::new(program)
            .args(["stdin", "stdout", "-l", languages, "--dpi", &dpi.to_string(), "tsv"])
            .env_clear()
            // Its threads would compete with other pages for the processor.
            .env("OMP_THREAD_LIMIT", "1")
            .exec()
    });
    // The parent may have closed standard error.
    let _ = writeln!(std::io::stderr(), "recognise: {error}");
    ExitCode::FAILURE
}
