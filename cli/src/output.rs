//! Standard output. Only command results go there; everything else goes to the log.

#[expect(clippy::print_stdout, reason = "the only writer to standard output")]
pub(crate) fn out(line: &str) {
    println!("{line}");
}
