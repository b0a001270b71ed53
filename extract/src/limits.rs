//! Resource limits of the child process, applied once before any of the file is read, irrevocably.
//!
//! Only the three standard descriptors stay open, and no other can be opened: no file access and no
//! sockets, so a compromised parser has no channel out. It cannot read the memory of a child that
//! parses another tenant's file either.

use std::io::Error;

use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};

use crate::protocol::{ADDRESS_SPACE, CPU_SECONDS};

/// The first descriptor after standard input, output and error.
const STANDARD: i32 = 3;

/// Upper bound of the descriptors to close when the system does not list the open ones: the usual
/// default of `RLIMIT_NOFILE`.
const MAX_UNLISTED: i32 = 1024;

/// Directory that lists the open descriptors of this process.
const DESCRIPTORS: &str = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };

/// Applies the limits to this process, irrevocably.
///
/// # Errors
/// When the system refuses a limit. The caller must then not read the file.
pub fn apply() -> Result<(), Error> {
    die_with_parent()?;
    set_no_new_privileges()?;
    make_undumpable()?;
    limit(Resource::RLIMIT_CPU, CPU_SECONDS)?;
    limit(Resource::RLIMIT_CORE, 0)?;
    limit(Resource::RLIMIT_FSIZE, 0)?;
    // On macOS the address space includes the shared system region, which exceeds this limit.
    if cfg!(target_os = "linux") {
        limit(Resource::RLIMIT_AS, ADDRESS_SPACE)?;
    }
    close_inherited()?;
    // `RLIMIT_NOFILE` bounds descriptor numbers. A limit of three would allow closing a standard descriptor
    // and opening another in its place. Zero forbids that, and open descriptors keep working.
    limit(Resource::RLIMIT_NOFILE, 0)
}

fn limit(resource: Resource, max: u64) -> Result<(), Error> {
    Ok(setrlimit(resource, max, max)?)
}

/// Makes the kernel kill this process when its parent exits.
///
/// On Linux the parent is the spawning thread, so that thread must outlive the child. A runtime worker
/// thread does; a thread of the blocking pool may not.
#[cfg(target_os = "linux")]
fn die_with_parent() -> Result<(), Error> {
    use nix::sys::prctl::set_pdeathsig;
    use nix::sys::signal::Signal;
    use nix::unistd::getppid;

    let parent = getppid();
    set_pdeathsig(Signal::SIGKILL)?;
    // A parent that exited in between sends no signal. One that exited earlier has closed the pipes.
    if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
}

/// No such signal on other systems: closed pipes and the CPU limit end the process.
#[cfg(not(target_os = "linux"))]
fn die_with_parent() -> Result<(), Error> {
    Ok(())
}

/// Forbids gaining privileges through `exec`.
#[cfg(target_os = "linux")]
fn set_no_new_privileges() -> Result<(), Error> {
    Ok(nix::sys::prctl::set_no_new_privs()?)
}

/// Not available on other systems.
#[cfg(not(target_os = "linux"))]
fn set_no_new_privileges() -> Result<(), Error> {
    Ok(())
}

/// Forbids other processes of this user to read or change this process's memory (`PR_SET_DUMPABLE`).
///
/// Debuggers and profilers of this user are locked out too; root is not. The setting is not inherited
/// through `exec`.
///
/// # Errors
/// When the system refuses the setting.
#[cfg(target_os = "linux")]
pub fn make_undumpable() -> Result<(), Error> {
    Ok(nix::sys::prctl::set_dumpable(false)?)
}

/// No-op: other systems already restrict access to process memory.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "linux"))]
pub fn make_undumpable() -> Result<(), Error> {
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

/// The open descriptors, or all possible ones where the system does not list them.
fn inherited() -> Vec<i32> {
    // List first, close later: the listing itself uses a descriptor.
    match std::fs::read_dir(DESCRIPTORS) {
        Ok(listed) => listed
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|descriptor| *descriptor >= STANDARD)
            .collect(),
        Err(_) => (STANDARD..MAX_UNLISTED).collect(),
    }
}
