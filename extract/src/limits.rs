//! Resource limits of the child process, applied once before any of the file is read, irrevocably.
//!
//! Only the three standard descriptors stay open, and no other can be opened. A compromised parser therefore
//! has no files and no sockets. It cannot read the memory of a child that parses another tenant's file
//! either.

use std::io::Error;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};

use crate::protocol::{ADDRESS_SPACE, CPU_SECONDS};

/// The first descriptor after standard input, output and error.
const STANDARD: i32 = 3;

/// Upper bound of the descriptors to close when the system does not list the open ones: the usual
/// default of `RLIMIT_NOFILE`.
const MAX_UNLISTED: i32 = 1024;

/// Folders of libraries and language data of a text recognition program.
#[cfg(target_os = "linux")]
const READABLE: [&str; 8] = ["/usr", "/bin", "/lib", "/lib64", "/etc", "/opt", "/nix/store", "/dev/null"];

/// Directory that lists the open descriptors of this process.
const DESCRIPTORS: &str = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };

/// Address-space limit of the text recognition program, in bytes. Tesseract 5 with two languages needed 300
/// MB for a page of A3 at 300 dots per inch.
const RECOGNISER_ADDRESS_SPACE: u64 = 2 << 30;

/// CPU-time limit of the text recognition program, in seconds.
const RECOGNISER_CPU_SECONDS: u64 = 60;

/// Number of descriptors of the text recognition program: its libraries and language data.
const RECOGNISER_FILES: u64 = 32;

/// Applies the limits to this process, irrevocably.
///
/// # Errors
/// When the system refuses a limit. The caller must then not read the file.
pub fn apply() -> Result<(), Error> {
    apply_common(CPU_SECONDS, ADDRESS_SPACE)?;
    // `RLIMIT_NOFILE` bounds descriptor numbers. A limit of three would allow closing a standard descriptor
    // and opening another in its place. Zero forbids that, and open descriptors keep working.
    limit(Resource::RLIMIT_NOFILE, 0)
}

fn limit(resource: Resource, max: u64) -> Result<(), Error> {
    Ok(setrlimit(resource, max, max)?)
}

/// Applies the limits of a text recognition program to this process, irrevocably; they outlive `exec`.
///
/// The program may read its libraries and data. It may not write files.
///
/// # Errors
/// When the system refuses a limit. The caller must then not start the program.
pub fn apply_to_recogniser(program: &Path) -> Result<(), Error> {
    apply_common(RECOGNISER_CPU_SECONDS, RECOGNISER_ADDRESS_SPACE)?;
    limit(Resource::RLIMIT_NOFILE, RECOGNISER_FILES)?;
    restrict_files(program)
}

fn apply_common(cpu_seconds: u64, address_space: u64) -> Result<(), Error> {
    die_with_parent()?;
    set_no_new_privileges()?;
    make_undumpable()?;
    limit(Resource::RLIMIT_CPU, cpu_seconds)?;
    limit(Resource::RLIMIT_CORE, 0)?;
    limit(Resource::RLIMIT_FSIZE, 0)?;
    // On macOS the address space includes the shared system region, which exceeds this limit.
    if cfg!(target_os = "linux") {
        limit(Resource::RLIMIT_AS, address_space)?;
    }
    close_inherited()
}

/// Permits reading system folders and the folder of the program. Forbids all other file access and TCP
/// (Landlock, where the kernel has it).
#[cfg(target_os = "linux")]
fn restrict_files(program: &Path) -> Result<(), Error> {
    use landlock::{
        ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, path_beneath_rules,
    };

    // The first version that can restrict TCP. Older kernels apply the rules that they support.
    let abi = ABI::V4;
    let folders = READABLE.iter().map(Path::new).chain(program.parent());
    let restrict = || {
        Ruleset::default()
            .handle_access(AccessFs::from_all(abi))?
            .handle_access(AccessNet::from_all(abi))?
            .create()?
            .add_rules(path_beneath_rules(folders, AccessFs::from_read(abi)))?
            .restrict_self()
    };
    restrict().map(drop).map_err(Error::other)
}

/// No such restriction on other systems.
#[cfg(not(target_os = "linux"))]
fn restrict_files(_program: &Path) -> Result<(), Error> {
    Ok(())
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
/// This also excludes debuggers and profilers of this user, but not of root. The setting is not inherited
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
