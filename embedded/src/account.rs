//! The unprivileged account for the servers when we run as root.
//!
//! Postgres refuses to run as root, and Redis has no need to.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use crate::{Error, Result};

/// Tried in this order: a dedicated `parlance` user wins over `nobody`.
const CANDIDATES: [&str; 2] = ["parlance", "nobody"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    uid: u32,
    gid: u32,
}

/// Reads the owner of a file just created: no direct system call is needed.
pub(crate) fn is_root() -> bool {
    let created = tempfile::tempfile().and_then(|file| file.metadata());
    created.or_else(|_| fs::metadata("/proc/self")).is_ok_and(|metadata| metadata.uid() == 0)
}

impl Account {
    /// The account to drop to; `None` when we are not root.
    pub(crate) fn unprivileged() -> Result<Option<Self>> {
        if !is_root() {
            return Ok(None);
        }
        let passwd = Path::new("/etc/passwd");
        let text = fs::read_to_string(passwd).map_err(Error::io("read", passwd))?;
        let account = Self::find(&text).ok_or_else(|| Error::NoAccount {
            detail: format!("/etc/passwd has neither of {}", CANDIDATES.join(" and ")),
        })?;
        // In a container whose user namespace maps only root, `nobody` exists but setuid to it fails.
        let mut probe = Command::new("/bin/sh");
        account.apply_to(probe.args(["-c", ":"]));
        match probe.status() {
            Ok(status) if status.success() => Ok(Some(account)),
            Ok(status) => {
                Err(Error::NoAccount { detail: format!("test shell as {}: {status}", account.name) })
            }
            Err(error) => Err(Error::NoAccount { detail: format!("switching to {}: {error}", account.name) }),
        }
    }

    fn find(passwd: &str) -> Option<Self> {
        CANDIDATES.iter().find_map(|candidate| {
            let mut fields =
                passwd.lines().find(|line| line.split(':').next() == Some(candidate))?.split(':').skip(2);
            Some(Self { name: (*candidate).to_owned(), uid: id(fields.next()?)?, gid: id(fields.next()?)? })
        })
    }

    /// Changes the owner of a file or folder to this account.
    pub(crate) fn chown(&self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(Error::io("change the owner of", path))
    }

    /// Runs a command as this account.
    pub(crate) fn apply_to(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Whether this account may traverse every folder on the way to `path`.
    pub(crate) fn can_reach(&self, path: &Path) -> bool {
        let Ok(path) = path.canonicalize() else {
            return false;
        };
        path.ancestors().all(|folder| {
            fs::metadata(folder).is_ok_and(|metadata| {
                let bit = match (metadata.uid() == self.uid, metadata.gid() == self.gid) {
                    (true, _) => 0o100,
                    (false, true) => 0o010,
                    (false, false) => 0o001,
                };
                metadata.mode() & bit != 0
            })
        })
    }
}

/// Parses a numeric id. macOS writes the ids of `nobody` as -2.
fn id(field: &str) -> Option<u32> {
    field.parse().ok().or_else(|| field.parse::<i32>().ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_candidate_with_its_ids() {
        let linux = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533:nobody:/:/bin/false\n";
        assert_eq!(Account::find(linux), Some(Account { name: "nobody".into(), uid: 65534, gid: 65533 }));
        let own = format!("{linux}parlance:x:900:901::/:/bin/false\n");
        assert_eq!(Account::find(&own).map(|account| account.uid), Some(900));
        let macos = "nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false\n";
        assert_eq!(Account::find(macos).map(|account| account.uid), Some(4_294_967_294));
        assert_eq!(Account::find("root:x:0:0:root:/root:/bin/bash\nnobody2:x:1:1::/:\n"), None);
    }
}
