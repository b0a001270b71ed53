//! The bodies of requests: whatever a client sends, it is understood or answered as a client's mistake, and a form reads
//! the same however the network cuts it.

use std::cell::RefCell;

use bytes::Bytes;
use parlance_api::fuzzing::{self, Outcome};
use tokio::runtime::{Builder, Runtime};

use crate::text_of;

/// A boundary is at most so long (RFC 2046, 5.1.1).
const LINE: usize = 70;

/// A JSON body, for every path that takes one.
pub fn json(input: &[u8]) {
    for outcome in wait(fuzzing::json(input)) {
        hold(&outcome);
    }
}

/// A form, below the boundary that its head names.
pub fn form(input: &[u8]) {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let (boundary, body) = (text_of(lines.next().unwrap_or_default()), lines.next().unwrap_or_default());
    let boundary: String = boundary.chars().filter(|c| c.is_ascii() && !c.is_control()).take(LINE).collect();
    let head = format!("multipart/form-data; boundary={boundary}");
    let read = |length: usize| {
        let pieces = body.chunks(length.max(1)).map(Bytes::copy_from_slice).collect();
        wait(fuzzing::form(&head, pieces))
    };
    let whole = read(body.len());
    whole.iter().for_each(hold);
    for length in [1, 2, 7, 61] {
        assert_eq!(read(length), whole, "in pieces of {length} bytes");
    }
}

fn hold(outcome: &Outcome) {
    if let Err((status, answer)) = outcome {
        assert!((400..500).contains(status), "{status} for what a client sent: {answer}");
        assert!(answer.contains("\"message\""), "{answer}");
    }
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
    }
    RUNTIME.with_borrow_mut(|runtime| match runtime {
        Some(runtime) => runtime.block_on(work),
        None => {
            let Ok(fresh) = Builder::new_current_thread().build() else { std::process::abort() };
            runtime.insert(fresh).block_on(work)
        }
    })
}
