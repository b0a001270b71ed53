//! Fetches one wheel with the ordinary pip client: whatever mirror, proxy or certificate the user
//! has set for pip is honoured, and no address is ours.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    Part,
    wheels::{Platform, Wheel},
};
use crate::{Error, Result};

/// A line of progress this often.
const REPORT_EVERY: Duration = Duration::from_secs(3);

/// One exact wheel, whichever Python runs pip. Without pip's own cache: the wheel is unpacked once,
/// and two copies of it are of no use.
const FLAGS: [&str; 17] = [
    "--no-deps",
    "--require-hashes",
    "--only-binary=:all:",
    "--implementation",
    "cp",
    "--python-version",
    "311",
    "--abi",
    "cp311",
    "--no-cache-dir",
    "--disable-pip-version-check",
    "--no-input",
    "--progress-bar",
    "off",
    "--retries",
    "2",
    "--quiet",
];

/// The ways to call pip, in the order in which they are tried.
pub(super) fn commands() -> Vec<Vec<String>> {
    [&["python3", "-m", "pip"][..], &["python", "-m", "pip"], &["pip3"], &["pip"]]
        .iter()
        .map(|words| words.iter().map(|word| (*word).to_owned()).collect())
        .collect()
}

/// The first of the commands that answers.
pub(super) fn find(commands: &[Vec<String>]) -> Option<&Vec<String>> {
    commands.iter().filter(|words| !words.is_empty()).find(|words| {
        let mut probe = command(words);
        probe.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    })
}

/// Fetches a wheel into `folder`, which holds nothing else, and gives its path.
pub(super) fn download(
    commands: &[Vec<String>],
    platform: &Platform,
    part: Part,
    wheel: &Wheel,
    folder: &Path,
) -> Result<PathBuf> {
    let pip = find(commands).ok_or_else(|| Error::NoPip {
        part,
        tried: commands.iter().map(|words| words.join(" ")).collect(),
    })?;
    let (label, size) = (wheel.label(), megabytes(wheel.bytes));
    tracing::info!("fetching {label} ({size} MB) with {}", pip.join(" "));

    // pip writes a download to its temporary folder first: in ours we see it grow, and it is on the
    // file system that has to have the room.
    let scratch = folder.join("scratch");
    fs::create_dir_all(&scratch).map_err(Error::io("create", &scratch))?;
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, wheel.requirement()).map_err(Error::io("write", &requirements))?;

    let mut command = command(pip);
    command.arg("download").args(FLAGS);
    for tag in platform.tags {
        command.args(["--platform", tag]);
    }
    command.arg("--dest").arg(folder).arg("--requirement").arg(&requirements);
    command.env("TMPDIR", &scratch).env("LC_ALL", "C.UTF-8");
    let mut reported = 0;
    let run = run(command, || {
        let so_far = megabytes(size_below(&scratch).unwrap_or(0));
        if so_far > reported {
            reported = so_far;
            tracing::info!("fetching {label}: {so_far} of {size} MB");
        }
    });
    let (status, output) = run.map_err(Error::io("run", Path::new(&pip[0])))?;
    if !status.success() {
        return Err(explain(label, &output, folder));
    }
    let came = found(folder)?;
    came.ok_or_else(|| Error::Download { package: label, output: "no wheel came".to_owned() })
}

/// The wheel in a folder, if there is one.
pub(super) fn found(folder: &Path) -> Result<Option<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths.find(|path| path.extension().is_some_and(|extension| extension == "whl")))
}

/// Not in the folder we stand in: `python -m` would run a module of that name from there.
fn command(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir("/").stdin(Stdio::null());
    command
}

/// Runs to the end and gives all that was said; told of the time that passes meanwhile. What is said
/// goes through a pipe and not into a file: when the disk is full, that is what it says.
fn run(mut command: Command, mut passing: impl FnMut()) -> io::Result<(ExitStatus, String)> {
    let (mut reader, writer) = io::pipe()?;
    let mut child = command.stdout(writer.try_clone()?).stderr(writer).spawn()?;
    // It holds our copies of the writing end.
    drop(command);
    let listener = thread::spawn(move || {
        let mut bytes = Vec::new();
        let _cut_short = reader.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let mut told = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(50));
        if told.elapsed() >= REPORT_EVERY {
            told = Instant::now();
            passing();
        }
    };
    Ok((status, listener.join().unwrap_or_default()))
}

/// What pip's words mean for the user.
fn explain(package: String, output: &str, folder: &Path) -> Error {
    const FULL: [&str; 3] = ["No space left on device", "[Errno 28]", "Disk quota exceeded"];
    const CLOSED: [&str; 5] = [
        "connection broken",
        "Max retries exceeded",
        "Failed to establish",
        "Temporary failure",
        "timed out",
    ];
    let has = |words: &[&str]| words.iter().any(|word| output.contains(word));
    let lines: Vec<_> = output.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(8)..].join("\n");
    if has(&FULL) {
        Error::DiskFull { path: folder.to_owned() }
    } else if has(&["DO NOT MATCH THE HASHES"]) {
        Error::HashDiffers { package, detail: format!("pip said:\n{last}") }
    } else if has(&CLOSED) {
        Error::Network { package, output: last }
    } else {
        Error::Download { package, output: last }
    }
}

fn size_below(folder: &Path) -> io::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        sum += if about.is_dir() { size_below(&entry.path())? } else { about.len() };
    }
    Ok(sum)
}

fn megabytes(bytes: u64) -> u64 {
    (bytes + 500_000) / 1_000_000
}
