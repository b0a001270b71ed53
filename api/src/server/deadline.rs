//! Pure: deadlines of a connection for a request's head, a blocked write, and idleness.

use std::time::Duration;

use tokio::time::Instant;

use super::activity::State;

/// Time between the graceful close of an idle connection and its abort: an HTTP/2 client acknowledges the close.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);

/// First bytes of an HTTP/2 connection (RFC 9113 §3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Longest write of an HTTP/2 connection that may hold nothing but acknowledgements and a farewell, in bytes.
const HTTP2_CONTROL_BYTES: usize = 256;

#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// For a request's head, from its first byte.
    pub(super) head: Duration,
    /// Without a request in progress and without a byte written, and for a blocked write.
    pub(super) idle: Duration,
}

/// Progress of a connection's reads and writes.
///
/// A head begins with the first byte that is read while no request is in progress; line ends before it do not count
/// (RFC 9112 §2.2). Requests of an HTTP/2 connection are exempt, because such a byte may be of another frame; they have
/// the idle timeout.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// Rest of [`HTTP2_PREFACE`]: empty once the connection is HTTP/2, `None` if it is HTTP/1.
    preface: Option<&'static [u8]>,
    head: Option<Head>,
    /// Time since which the client has taken no bytes.
    blocked_since: Option<Instant>,
    /// When bytes of a response were last written.
    written_at: Option<Instant>,
    /// Whether the connection was asked to end because it was idle.
    pub(super) is_closing: bool,
}

/// A head whose first byte has arrived.
#[derive(Clone, Copy, Debug)]
struct Head {
    since: Instant,
    /// Number of requests begun before it; a higher number means that the head is complete.
    begun: u64,
}

/// The next deadline of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deadline {
    pub(super) at: Instant,
    /// Nothing is unfinished: the connection is idle.
    pub(super) is_idle: bool,
}

impl Default for Progress {
    fn default() -> Self {
        let (head, blocked_since, written_at) = (None, None, None);
        Self { preface: Some(HTTP2_PREFACE), head, blocked_since, written_at, is_closing: false }
    }
}

impl Progress {
    pub(super) fn note_read(&mut self, bytes: &[u8], state: State, now: Instant) {
        let State { in_progress, begun, .. } = state;
        self.preface = self.preface.and_then(|rest| {
            if bytes.starts_with(rest) { Some(Default::default()) } else { rest.strip_prefix(bytes) }
        });
        if self.is_http2() {
            self.head = None;
            return;
        }
        let has_begun = self.head.is_some_and(|head| head.begun == begun);
        let is_line_end = bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        if in_progress == 0 && !has_begun && !is_line_end {
            self.head = Some(Head { since: now, begun });
        }
    }

    fn is_http2(&self) -> bool {
        self.preface.is_some_and(<[u8]>::is_empty)
    }

    pub(super) fn note_blocked(&mut self, now: Instant) {
        self.blocked_since.get_or_insert(now);
    }

    pub(super) fn note_written(&mut self, bytes: usize, now: Instant) {
        self.blocked_since = None;
        if !self.is_http2() || bytes > HTTP2_CONTROL_BYTES {
            self.written_at = Some(now);
        }
    }

    pub(super) fn deadline(&self, timeouts: Timeouts, state: State, now: Instant) -> Deadline {
        let is_waiting = state.in_progress == 0;
        let idle_since = if is_waiting { state.idle_since } else { now };
        let idle_since = self.written_at.map_or(idle_since, |written| written.max(idle_since));
        let farewell = if self.is_closing { FAREWELL } else { Duration::ZERO };
        let idle = Deadline { at: idle_since + timeouts.idle + farewell, is_idle: true };
        let head = self.head.filter(|head| is_waiting && head.begun == state.begun);
        let head = head.map(|head| head.since + timeouts.head);
        let write = self.blocked_since.map(|since| since + timeouts.idle);
        let late = head.into_iter().chain(write).map(|at| Deadline { at, is_idle: false });
        late.chain([idle]).min_by_key(|deadline| deadline.at).unwrap_or(idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const TIMEOUTS: Timeouts = Timeouts { head: Duration::from_secs(10), idle: Duration::from_secs(75) };

    fn state(in_progress: usize, begun: u64, idle_since: Instant) -> State {
        State { in_progress, begun, idle_since }
    }

    #[test]
    fn a_trickled_head_keeps_its_first_deadline() {
        let now = Instant::now();
        let (mut progress, accepted) = (Progress::default(), state(0, 0, now));
        for second in 5..12 {
            progress.note_read(b"G", accepted, now + second * SECOND);
        }
        let expected = Deadline { at: now + 15 * SECOND, is_idle: false };
        assert_eq!(progress.deadline(TIMEOUTS, accepted, now + 12 * SECOND), expected);
    }

    #[test]
    fn each_head_of_a_kept_connection_is_timed() {
        let now = Instant::now();
        let mut progress = Progress::default();
        progress.note_read(b"POST", state(0, 0, now), now);
        let (running, kept) = (state(1, 1, now), state(0, 1, now + 100 * SECOND));
        // The body of the request in progress is no head.
        progress.note_read(b"{}", running, now + 99 * SECOND);
        let later = now + 200 * SECOND;
        let never = Deadline { at: later + 75 * SECOND, is_idle: true };
        assert_eq!(progress.deadline(TIMEOUTS, running, later), never);
        let idle = Deadline { at: now + 175 * SECOND, is_idle: true };
        assert_eq!(progress.deadline(TIMEOUTS, kept, now + 100 * SECOND), idle);
        // Nor is a line end after a body.
        progress.note_read(b"\r\n", kept, now + 101 * SECOND);
        assert_eq!(progress.deadline(TIMEOUTS, kept, now + 101 * SECOND), idle);
        progress.note_read(b"GET", kept, now + 120 * SECOND);
        let head = Deadline { at: now + 130 * SECOND, is_idle: false };
        assert_eq!(progress.deadline(TIMEOUTS, kept, now + 121 * SECOND), head);
    }

    #[test]
    fn a_closing_connection_is_aborted_after_a_grace_period() {
        let now = Instant::now();
        let progress = Progress { is_closing: true, ..Progress::default() };
        let expected = Deadline { at: now + 75 * SECOND + FAREWELL, is_idle: true };
        assert_eq!(progress.deadline(TIMEOUTS, state(0, 0, now), now), expected);
    }

    #[test]
    fn frames_of_an_http2_connection_are_not_timed_as_heads() {
        let now = Instant::now();
        let (mut progress, accepted) = (Progress::default(), state(0, 0, now));
        let (start, rest) = HTTP2_PREFACE.split_at(5);
        progress.note_read(start, accepted, now);
        let preface = Deadline { at: now + 10 * SECOND, is_idle: false };
        assert_eq!(progress.deadline(TIMEOUTS, accepted, now), preface, "half a preface is a head");
        progress.note_read(&[rest, b"frames"].concat(), accepted, now + SECOND);
        progress.note_read(b"frames", state(0, 1, now), now + SECOND);
        // Acknowledgements do not keep the connection.
        progress.note_written(17, now + 2 * SECOND);
        let idle = Deadline { at: now + 75 * SECOND, is_idle: true };
        for state in [accepted, state(0, 1, now)] {
            assert_eq!(progress.deadline(TIMEOUTS, state, now + 2 * SECOND), idle);
        }
    }

    #[test]
    fn a_client_that_takes_no_bytes_has_the_idle_timeout() {
        let now = Instant::now();
        let (mut progress, running) = (Progress::default(), state(1, 1, now));
        progress.note_blocked(now);
        progress.note_blocked(now + 50 * SECOND);
        let expected = Deadline { at: now + 75 * SECOND, is_idle: false };
        assert_eq!(progress.deadline(TIMEOUTS, running, now + 60 * SECOND), expected);
        progress.note_written(1, now + 60 * SECOND);
        assert!(progress.deadline(TIMEOUTS, running, now + 60 * SECOND).is_idle);
    }

    #[test]
    fn a_client_that_takes_bytes_steadily_is_not_idle() {
        let now = Instant::now();
        // hyper has taken the response, so that no request is in progress.
        let (mut progress, answered) = (Progress::default(), state(0, 1, now));
        progress.note_read(b"GET", state(0, 0, now), now);
        for second in [50, 100, 150] {
            progress.note_blocked(now + second * SECOND);
            progress.note_written(1, now + (second + 40) * SECOND);
            let idle = Deadline { at: now + (second + 115) * SECOND, is_idle: true };
            assert_eq!(progress.deadline(TIMEOUTS, answered, now + (second + 40) * SECOND), idle);
        }
        progress.note_blocked(now + 190 * SECOND);
        let deadline = progress.deadline(TIMEOUTS, answered, now + 200 * SECOND);
        assert_eq!(deadline.at, now + 265 * SECOND, "without progress it ends");
    }
}
