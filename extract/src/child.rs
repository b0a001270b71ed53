//! The whole child: it limits itself, reads one request, parses, and writes one reply. It starts
//! nothing, opens nothing, and logs nothing.
//!
//! What the parent owes it: three pipes (a file as standard output is a file it may not write), an
//! empty environment (secrets are none of its business), a thread that lives as long as the child
//! (see [`limits`]), an end of the wait after [`WALL`](crate::protocol::WALL), and
//! no more read of the reply than [`MAX_REPLY_BYTES`].

use std::io::{BufRead, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::thread;

use crate::protocol::{MAX_REPLY_BYTES, PARSER_STACK, Rejection, Reply, Request, Verdict};
use crate::{limits, parse};

/// The longest line a request is read from: a name, a media type and an address.
const MAX_REQUEST_BYTES: u64 = 64 << 10;

/// Answers the request on standard input, on standard output.
///
/// The exit code is for who looks at the process: a reply was written, or not. What the death of a
/// child means for its file, [`verdict_of_death`](crate::protocol::verdict_of_death) says.
#[must_use]
pub fn run() -> ExitCode {
    if let Err(error) = limits::apply() {
        return fail(&format!("cannot limit itself: {error}"));
    }
    // A panic is an answer here, and its message holds a stranger's bytes.
    std::panic::set_hook(Box::new(|_| {}));
    match read().and_then(|(request, bytes)| write(&answer(request, bytes))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(why: &str) -> ExitCode {
    // Who does not listen any more need not be told.
    let _ = writeln!(std::io::stderr(), "extract: {why}");
    ExitCode::FAILURE
}

fn read() -> std::io::Result<(Request, Vec<u8>)> {
    let mut input = std::io::stdin().lock();
    let mut line = Vec::new();
    input.by_ref().take(MAX_REQUEST_BYTES).read_until(b'\n', &mut line)?;
    let request = serde_json::from_slice(&line)?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    Ok((request, bytes))
}

fn answer(request: Request, bytes: Vec<u8>) -> Reply {
    let parser = thread::Builder::new().stack_size(PARSER_STACK).spawn(move || {
        // The parsers share no state with what follows but their arguments, which end here.
        catch_unwind(AssertUnwindSafe(|| parse(&request, &bytes)))
    });
    match parser.map(thread::JoinHandle::join) {
        Ok(Ok(Ok(Ok(document)))) => Reply::Document(document),
        Ok(Ok(Ok(Err(rejection)))) => Reply::Rejected(rejection),
        Ok(Ok(Err(_)) | Err(_)) => Reply::Rejected(Rejection::new(
            Verdict::Corrupt,
            "The file is damaged in a way that its reader could not handle. Save it again from the program \
             that made it.",
        )),
        Err(_) => Reply::Rejected(Rejection::new(
            Verdict::TooLarge,
            "The file is too large to be read in the memory that a file may take.",
        )),
    }
}

fn write(reply: &Reply) -> std::io::Result<()> {
    let mut json = serde_json::to_vec(reply)?;
    if json.len() > MAX_REPLY_BYTES {
        json = serde_json::to_vec(&Reply::Rejected(Rejection::new(
            Verdict::TooLarge,
            "The text of the file is too large. Split it into smaller files.",
        )))?;
    }
    let mut output = std::io::stdout().lock();
    output.write_all(&json)?;
    output.flush()
}
