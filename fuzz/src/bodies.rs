//! Request bodies: JSON and forms.
//!
//! Any body is parsed or rejected with a 4xx status, and a form parses the same however the network splits
//! it.

use std::cell::RefCell;

use bytes::Bytes;
use parlance_api::fuzzing::{self, Outcome};
use tokio::runtime::{Builder, Runtime};

use crate::text_of;

/// Maximum length of a boundary (RFC 2046, 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// A JSON body, for every path that takes one.
pub fn json(input: &[u8]) {
    for outcome in block_on(fuzzing::json(input)) {
        check(&outcome);
    }
}

/// A form. The first line is its boundary.
pub fn form(input: &[u8]) {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let (boundary, body) = (text_of(lines.next().unwrap_or_default()), lines.next().unwrap_or_default());
    let boundary: String =
        boundary.chars().filter(|c| c.is_ascii() && !c.is_control()).take(MAX_BOUNDARY).collect();
    let head = format!("multipart/form-data; boundary={boundary}");
    let read = |length: usize| {
        let pieces = body.chunks(length.max(1)).map(Bytes::copy_from_slice).collect();
        block_on(fuzzing::form(&head, pieces))
    };
    let whole = read(body.len());
    whole.iter().for_each(check);
    for length in [1, 2, 7, 61] {
        assert_eq!(read(length), whole, "in pieces of {length} bytes");
    }
}

fn check(outcome: &Outcome) {
    if let Err((status, answer)) = outcome {
        assert!((400..500).contains(status), "{status} for a client error: {answer}");
        assert!(answer.contains("\"message\""), "{answer}");
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
    }
    RUNTIME.with_borrow_mut(|runtime| match runtime {
        Some(runtime) => runtime.block_on(work),
        None => {
            let Ok(new) = Builder::new_current_thread().build() else { std::process::abort() };
            runtime.insert(new).block_on(work)
        }
    })
}
