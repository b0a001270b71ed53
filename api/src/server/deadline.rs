//! Pure: deadlines of a connection for a request's head, a blocked write, and idleness.

use std::time::Duration;

use tokio::time::Instant;

use super::activity::State;

/// Time between the graceful close of an idle connection and its abort: an HTTP/2 client acknowledges the close.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// For a request's head, from its first byte.
    pub(super) head: Duration,
    /// Without a request in progress, and for a blocked write.
    pub(super) idle: Duration,
}

/// Progress of a connection's reads and writes.
///
/// A head begins with the first byte that is read while no request is in progress. Later requests of an HTTP/2
/// connection are exempt, because such a byte may be of another frame; they have the idle timeout.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    head: Option<Head>,
    /// Time since which the client has taken no bytes.
    blocked_since: Option<Instant>,
    /// Whether the connection is being closed gracefully because it was idle.
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

impl Progress {
    pub(super) fn note_read(&mut self, state: State, now: Instant) {
        let State { in_progress, begun, is_http2, .. } = state;
        let has_begun = self.head.is_some_and(|head| head.begun == begun);
        if in_progress == 0 && !has_begun && !(is_http2 && begun > 0) {
            self.head = Some(Head { since: now, begun });
        }
    }

    pub(super) fn note_write(&mut self, is_blocked: bool, now: Instant) {
        if is_blocked {
            self.blocked_since.get_or_insert(now);
        } else {
            self.blocked_since = None;
        }
    }

    pub(super) fn deadline(&self, timeouts: Timeouts, state: State, now: Instant) -> Deadline {
        let is_waiting = state.in_progress == 0;
        let idle_since = if is_waiting { state.idle_since } else { now };
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
        State { in_progress, begun, is_http2: false, idle_since }
    }

    #[test]
    fn a_trickled_head_keeps_its_first_deadline() {
        let now = Instant::now();
        let (mut progress, accepted) = (Progress::default(), state(0, 0, now));
        for second in 5..12 {
            progress.note_read(accepted, now + second * SECOND);
        }
        let expected = Deadline { at: now + 15 * SECOND, is_idle: false };
        assert_eq!(progress.deadline(TIMEOUTS, accepted, now + 12 * SECOND), expected);
    }

    #[test]
    fn each_head_of_a_kept_connection_is_timed() {
        let now = Instant::now();
        let mut progress = Progress::default();
        progress.note_read(state(0, 0, now), now);
        let (running, kept) = (state(1, 1, now), state(0, 1, now + 100 * SECOND));
        // The body of the request in progress is no head.
        progress.note_read(running, now + 99 * SECOND);
        let later = now + 200 * SECOND;
        let never = Deadline { at: later + 75 * SECOND, is_idle: true };
        assert_eq!(progress.deadline(TIMEOUTS, running, later), never);
        let idle = Deadline { at: now + 175 * SECOND, is_idle: true };
        assert_eq!(progress.deadline(TIMEOUTS, kept, now + 100 * SECOND), idle);
        progress.note_read(kept, now + 120 * SECOND);
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
        let mut progress = Progress::default();
        let kept = State { is_http2: true, ..state(0, 1, now) };
        progress.note_read(kept, now + SECOND);
        let idle = Deadline { at: now + 75 * SECOND, is_idle: true };
        assert_eq!(progress.deadline(TIMEOUTS, kept, now + SECOND), idle);
    }

    #[test]
    fn a_client_that_takes_no_bytes_has_the_idle_timeout() {
        let now = Instant::now();
        let (mut progress, running) = (Progress::default(), state(1, 1, now));
        progress.note_write(true, now);
        progress.note_write(true, now + 50 * SECOND);
        let expected = Deadline { at: now + 75 * SECOND, is_idle: false };
        assert_eq!(progress.deadline(TIMEOUTS, running, now + 60 * SECOND), expected);
        progress.note_write(false, now + 60 * SECOND);
        assert!(progress.deadline(TIMEOUTS, running, now + 60 * SECOND).is_idle);
    }
}
