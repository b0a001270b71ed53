//! What the child may use. Applied once, before a byte of the file is read; nothing takes it back.
//!
//! No descriptor beyond the three standard ones stays open and none can be opened: no file can be
//! read or written, and no socket made, so a parser that is taken over has nobody to talk to. Nor can it
//! read the memory of a child that reads another tenant's file.

use std::io::Error;

use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};

use crate::protocol::{ADDRESS_SPACE, CPU_SECONDS};

/// The first descriptor after standard input, output and error.
const STANDARD: i32 = 3;

/// How many descriptors are closed when the system does not say which are open: as many as a process
/// may open by default.
const MAX_UNLISTED: i32 = 1024;

/// Where the open descriptors of a process are listed.
const DESCRIPTORS: &str = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };

/// Limits this process, for good.
///
/// # Errors
/// When the system refuses a limit: then nothing hostile may be read.
pub fn apply() -> Result<(), Error> {
    die_with_parent()?;
    gain_nothing()?;
    stay_unread()?;
    limit(Resource::RLIMIT_CPU, CPU_SECONDS)?;
    limit(Resource::RLIMIT_CORE, 0)?;
    limit(Resource::RLIMIT_FSIZE, 0)?;
    // macOS counts what every process shares as its address space, which is more than this.
    if cfg!(target_os = "linux") {
        limit(Resource::RLIMIT_AS, ADDRESS_SPACE)?;
    }
    close_inherited()?;
    // A limit of descriptors is one of their numbers: with three, whoever closes one of the standard ones could
    // open another in its place. With none, what is open goes on working.
    limit(Resource::RLIMIT_NOFILE, 0)
}

fn limit(resource: Resource, most: u64) -> Result<(), Error> {
    Ok(setrlimit(resource, most, most)?)
}

/// The kernel kills this process when its parent ends.
///
/// On Linux the parent is the thread that started it, so that thread has to live as long: a worker
/// of the runtime does, a thread for blocking work may not.
#[cfg(target_os = "linux")]
fn die_with_parent() -> Result<(), Error> {
    use nix::sys::prctl::set_pdeathsig;
    use nix::sys::signal::Signal;
    use nix::unistd::getppid;

    let parent = getppid();
    set_pdeathsig(Signal::SIGKILL)?;
    // A parent that ended in between sends no signal. One that ended before has closed the pipes.
    if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
}

/// Other systems have no such signal: the pipes end, and so does the processor time.
#[cfg(not(target_os = "linux"))]
fn die_with_parent() -> Result<(), Error> {
    Ok(())
}

/// No program that this process could become has more rights than it.
#[cfg(target_os = "linux")]
fn gain_nothing() -> Result<(), Error> {
    Ok(nix::sys::prctl::set_no_new_privs()?)
}

/// Other systems have no such promise.
#[cfg(not(target_os = "linux"))]
fn gain_nothing() -> Result<(), Error> {
    Ok(())
}

/// No other process of this user, but root's, reads or changes what is in this one's memory. Neither can a debugger
/// of this user, nor a profiler that comes later. Nothing of it is inherited by a program that is started.
///
/// # Errors
/// When the system refuses it.
#[cfg(target_os = "linux")]
pub fn stay_unread() -> Result<(), Error> {
    Ok(nix::sys::prctl::set_dumpable(false)?)
}

/// Elsewhere the system asks more of whoever wants to.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "linux"))]
pub fn stay_unread() -> Result<(), Error> {
    Ok(())
}

fn close_inherited() -> Result<(), Error> {
    for descriptor in inherited() {
        match nix::unistd::close(descriptor) {
            Ok(()) | Err(Errno::EBADF) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// The descriptors that are open, or all that may be where the system does not list them.
fn inherited() -> Vec<i32> {
    // Listed first and closed then: the listing has a descriptor of its own, closed by its end.
    match std::fs::read_dir(DESCRIPTORS) {
        Ok(listed) => listed
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|descriptor| *descriptor >= STANDARD)
            .collect(),
        Err(_) => (STANDARD..MAX_UNLISTED).collect(),
    }
}
