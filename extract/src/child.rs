//! Entry point of the child process: apply limits, read one request, parse, write one reply.
//!
//! It must never start a process, open a file or log.
//!
//! The parent must provide three pipes (the file-size limit of zero forbids writing to a file), an empty
//! environment (no secrets) and a spawning thread that outlives the child (see [`limits`]). It must stop
//! waiting after [`REPLY_TIMEOUT`](crate::protocol::REPLY_TIMEOUT) and read at most [`MAX_REPLY_BYTES`] of
//! the reply.

use std::io::{BufRead, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::thread;

use crate::protocol::{MAX_REPLY_BYTES, PARSER_STACK, Rejection, Reply, Request, Verdict};
use crate::render;
use crate::{limits, parse};

/// Maximum length of the request line, in bytes: a name, a media type and a URL.
const MAX_REQUEST_BYTES: u64 = 64 << 10;

/// Reads the request from standard input and writes the reply to standard output.
///
/// The exit code indicates whether a reply was written.
/// [`verdict_for_exit`](crate::protocol::verdict_for_exit) maps an abnormal exit to a rejection.
#[must_use]
pub fn run() -> ExitCode {
    if let Err(error) = limits::apply() {
        return fail(&format!("cannot apply the process limits: {error}"));
    }
    // A panic becomes a rejection. Its message may contain untrusted bytes.
    std::panic::set_hook(Box::new(|_| {}));
    match read().and_then(|(request, bytes)| {
        let (reply, pixels) = answer(request, bytes);
        write(&reply, &pixels)
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(why: &str) -> ExitCode {
    // The parent may have closed standard error.
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

/// The reply, and the pixels to write after it.
fn answer(request: Request, bytes: Vec<u8>) -> (Reply, Vec<u8>) {
    let parser = thread::Builder::new().stack_size(PARSER_STACK).spawn(move || {
        // Unwind safe: the arguments are the only shared state, and they are dropped here.
        catch_unwind(AssertUnwindSafe(|| match request.image_of_page {
            Some(page) => render::page(&bytes, page).map(|(image, pixels)| (Reply::Image(image), pixels)),
            None => parse(&request, &bytes).map(|document| (Reply::Document(document), Vec::new())),
        }))
    });
    let rejection = match parser.map(thread::JoinHandle::join) {
        Ok(Ok(Ok(Ok(reply)))) => return reply,
        Ok(Ok(Ok(Err(rejection)))) => rejection,
        Ok(Ok(Err(_)) | Err(_)) => Rejection::new(
            Verdict::Corrupt,
            "The file is damaged in a way that its reader could not handle. Save it again from the program \
             that made it.",
        ),
        Err(_) => Rejection::new(
            Verdict::TooLarge,
            "The file is too large to be read in the memory that a file may take.",
        ),
    };
    (Reply::Rejected(rejection), Vec::new())
}

fn write(reply: &Reply, pixels: &[u8]) -> std::io::Result<()> {
    let mut json = serde_json::to_vec(reply)?;
    if json.len() > MAX_REPLY_BYTES {
        json = serde_json::to_vec(&Reply::Rejected(Rejection::new(
            Verdict::TooLarge,
            "The text of the file is too large. Split it into smaller files.",
        )))?;
    }
    let mut output = std::io::stdout().lock();
    output.write_all(&json)?;
    output.write_all(pixels)?;
    output.flush()
}
