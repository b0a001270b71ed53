//! A server process that stops when our process ends.
//!
//! Each server is the child of a small supervisor shell. The shell holds the reading end of a pipe, the
//! lifeline, and we hold the writing end. We close it to stop the server; the system closes it when our
//! process ends for any reason. The shell then signals the server, kills it after a timeout, and exits
//! with the server's status. Signals are sent only from a parent to its child, and no unsafe code is needed.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::account::Account;

/// Time for a graceful stop, in tenths of a second.
const STOP_TIMEOUT_TENTHS: u32 = 80;

/// How long [`Guard::stop`] waits: longer than the supervisor's timeout and its SIGKILL.
const STOP_DEADLINE: Duration = Duration::from_millis(9_500);

/// Arguments: `$1` is the stop signal, `$2` the timeout in tenths of a second, the rest the server's command.
/// The server does not inherit the lifeline (3): it would keep its own pipe open. The reader is killed as
/// soon as the server exits.
const SUPERVISE: &str = r#"
exec 3<&0 </dev/null
signal=$1 tenths=$2
shift 2
"$@" 3<&- &
server=$!
(
  read -r _ <&3
  kill -s "$signal" "$server"
  while [ "$tenths" -gt 0 ] && kill -0 "$server"; do
    sleep 0.1
    tenths=$((tenths - 1))
  done
  kill -s KILL "$server"
) 2>/dev/null &
reader=$!
wait "$server"
status=$?
kill "$reader" 2>/dev/null
exit "$status"
"#;

/// PATH of the servers. Their environment has no secrets of ours and no setting that changes their behaviour.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin";

/// A command as another account, with a clean environment.
pub(super) fn command(program: &Path, account: Option<&Account>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", PATH).env("LC_ALL", "C").env("TZ", "UTC").current_dir(folder);
    if let Some(account) = account {
        account.apply_to(&mut command);
    }
    command
}

/// A running server. Dropping it stops the server without waiting.
#[derive(Debug)]
pub(super) struct Guard {
    shell: Option<Child>,
    lifeline: Option<ChildStdin>,
}

impl Guard {
    /// Starts a server that stops on `signal`; its output is appended to `log`.
    pub(super) fn start(
        server: &[OsString],
        signal: &str,
        account: Option<&Account>,
        folder: &Path,
        log: File,
    ) -> io::Result<Self> {
        let mut shell = command(Path::new("/bin/sh"), account, folder);
        shell
            .args(["-c", SUPERVISE, "parlance-server", signal, &STOP_TIMEOUT_TENTHS.to_string()])
            .args(server);
        Self::spawn(shell, log)
    }

    /// Runs a script that can wait for the end of our process: its standard input is the lifeline.
    pub(super) fn run_at_exit(script: &str, arguments: &[OsString], log: File) -> io::Result<Self> {
        let mut shell = command(Path::new("/bin/sh"), None, Path::new("/"));
        shell.args(["-c", script, "parlance-cleaner"]).args(arguments);
        Self::spawn(shell, log)
    }

    fn spawn(mut shell: Command, log: File) -> io::Result<Self> {
        // A process group of its own: Ctrl-C on the terminal reaches only us, and we drain first.
        shell.process_group(0).stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        // Serialised: where pipes are not created close-on-exec atomically, two servers starting at once
        // could inherit each other's lifeline.
        static SPAWN_LOCK: Mutex<()> = Mutex::new(());
        let _lock = SPAWN_LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shell = shell.spawn()?;
        let lifeline = shell.stdin.take();
        Ok(Self { shell: Some(shell), lifeline })
    }

    /// The exit status, if the server has exited.
    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.shell.as_mut().map_or(Ok(None), Child::try_wait)
    }

    /// Stops the server and waits for its exit; false if it does not exit in time.
    pub(super) fn stop(mut self) -> bool {
        self.lifeline = None;
        let deadline = Instant::now() + STOP_DEADLINE;
        while Instant::now() < deadline {
            if !matches!(self.try_wait(), Ok(None)) {
                self.shell = None;
                return true;
            }
            thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.lifeline = None;
        if let Some(mut shell) = self.shell.take() {
            // Reaps the shell in the background: no zombie remains, and the caller need not wait.
            let _reaper = thread::Builder::new().name("reaper".to_owned()).spawn(move || shell.wait());
        }
    }
}
