//! A server process that cannot outlive us.
//!
//! Each server is the child of a small shell, and the shell holds the reading end of a pipe whose
//! writing end is ours: the lifeline. It is closed when we want the server to stop, and the system
//! closes it when we are gone, however that came about. The shell then asks the server to stop,
//! makes it stop if it does not, and ends with the server's own status. No signal is ever sent to a
//! process that is not a child of the sender, and nothing here needs unsafe code.

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

/// How long a server may take to stop by itself, in tenths of a second.
const PATIENCE: u32 = 80;

/// After the shell's patience and its last means.
const STOPPED_BY: Duration = Duration::from_millis(9_500);

/// `$1` is the signal to stop by, `$2` the patience, the rest is the server's command. The server
/// does not have the lifeline (3), or it would hold its own end open; the reader is ended as soon as
/// the server has.
const SUPERVISE: &str = r#"
exec 3<&0 </dev/null
signal=$1 patience=$2
shift 2
"$@" 3<&- &
server=$!
(
  read -r _ <&3
  kill -s "$signal" "$server"
  while [ "$patience" -gt 0 ] && kill -0 "$server"; do
    sleep 0.1
    patience=$((patience - 1))
  done
  kill -s KILL "$server"
) 2>/dev/null &
reader=$!
wait "$server"
status=$?
kill "$reader" 2>/dev/null
exit "$status"
"#;

/// What the servers see of the environment: no secrets of ours, and no setting that would change
/// what they do.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin";

/// A command as another account, in a clean environment.
pub(super) fn command(program: &Path, account: Option<&Account>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", PATH).env("LC_ALL", "C").env("TZ", "UTC").current_dir(folder);
    if let Some(account) = account {
        account.put_on(&mut command);
    }
    command
}

/// A running server; dropping it stops the server without waiting.
#[derive(Debug)]
pub(super) struct Guard {
    shell: Option<Child>,
    lifeline: Option<ChildStdin>,
}

impl Guard {
    /// Starts a server that stops by `signal`, with its output appended to `log`.
    pub(super) fn start(
        server: &[OsString],
        signal: &str,
        account: Option<&Account>,
        folder: &Path,
        log: File,
    ) -> io::Result<Self> {
        let mut shell = command(Path::new("/bin/sh"), account, folder);
        shell.args(["-c", SUPERVISE, "parlance-server", signal, &PATIENCE.to_string()]).args(server);
        Self::spawn(shell, log)
    }

    /// Runs a script when the lifeline ends, with arguments.
    pub(super) fn when_we_are_gone(script: &str, arguments: &[OsString], log: File) -> io::Result<Self> {
        let mut shell = command(Path::new("/bin/sh"), None, Path::new("/"));
        shell.args(["-c", script, "parlance-cleaner"]).args(arguments);
        Self::spawn(shell, log)
    }

    fn spawn(mut shell: Command, log: File) -> io::Result<Self> {
        // Out of the terminal's process group, so that Ctrl-C reaches us alone and we drain first.
        shell.process_group(0).stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        // One at a time: where pipes cannot be made close-on-exec at once, two servers that start
        // together could each hold the other's lifeline open.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shell = shell.spawn()?;
        let lifeline = shell.stdin.take();
        Ok(Self { shell: Some(shell), lifeline })
    }

    /// How the server ended, if it has.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.shell.as_mut().map_or(Ok(None), Child::try_wait)
    }

    /// Stops the server and waits until it is gone; false if it could not be waited for.
    pub(super) fn stop(mut self) -> bool {
        self.lifeline = None;
        let give_up = Instant::now() + STOPPED_BY;
        while Instant::now() < give_up {
            if !matches!(self.ended(), Ok(None)) {
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
            // Somebody has to wait for the shell or it stays as a zombie; nobody has to wait for us.
            let _reaper = thread::Builder::new().name("reaper".to_owned()).spawn(move || shell.wait());
        }
    }
}
