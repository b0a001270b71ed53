//! The unprivileged account that the servers run as when we are root: Postgres refuses to be root,
//! and Redis has no need to.

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

/// In this order; a machine that has a user of our own name wants it used.
const CANDIDATES: [&str; 2] = ["parlance", "nobody"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    uid: u32,
    gid: u32,
}

/// The owner of a file that we have just made is who we are: no system call of our own is needed.
pub(crate) fn is_root() -> bool {
    let made = tempfile::tempfile().and_then(|file| file.metadata());
    made.or_else(|_| fs::metadata("/proc/self")).is_ok_and(|ours| ours.uid() == 0)
}

impl Account {
    /// The account to drop to, or none when we are not root and need no other.
    pub(crate) fn to_drop_to() -> Result<Option<Self>> {
        if !is_root() {
            return Ok(None);
        }
        let passwd = Path::new("/etc/passwd");
        let text = fs::read_to_string(passwd).map_err(Error::io("read", passwd))?;
        let account = Self::find(&text).ok_or_else(|| Error::NoAccount {
            detail: format!("/etc/passwd has neither of {}", CANDIDATES.join(" and ")),
        })?;
        // In a container whose user namespace maps root only, nobody exists and cannot be become.
        let mut probe = Command::new("/bin/sh");
        account.put_on(probe.args(["-c", ":"]));
        match probe.status() {
            Ok(status) if status.success() => Ok(Some(account)),
            Ok(status) => Err(Error::NoAccount { detail: format!("a shell as {}: {status}", account.name) }),
            Err(error) => Err(Error::NoAccount { detail: format!("becoming {}: {error}", account.name) }),
        }
    }

    fn find(passwd: &str) -> Option<Self> {
        CANDIDATES.iter().find_map(|wanted| {
            let mut fields =
                passwd.lines().find(|line| line.split(':').next() == Some(wanted))?.split(':').skip(2);
            Some(Self { name: (*wanted).to_owned(), uid: id(fields.next()?)?, gid: id(fields.next()?)? })
        })
    }

    /// Makes a file or folder this account's.
    pub(crate) fn own(&self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(Error::io("give away", path))
    }

    /// Makes a command run as this account.
    pub(crate) fn put_on(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Whether every folder on the way to `path` lets this account pass.
    pub(crate) fn reaches(&self, path: &Path) -> bool {
        let Ok(path) = path.canonicalize() else {
            return false;
        };
        path.ancestors().all(|step| {
            fs::metadata(step).is_ok_and(|on| {
                let bit = match (on.uid() == self.uid, on.gid() == self.gid) {
                    (true, _) => 0o100,
                    (false, true) => 0o010,
                    (false, false) => 0o001,
                };
                on.mode() & bit != 0
            })
        })
    }
}

/// macOS writes nobody's id as -2.
fn id(field: &str) -> Option<u32> {
    field.parse().ok().or_else(|| field.parse::<i32>().ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_name_is_found_with_its_ids() {
        let linux = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533:nobody:/:/bin/false\n";
        assert_eq!(Account::find(linux), Some(Account { name: "nobody".into(), uid: 65534, gid: 65533 }));
        let own = format!("{linux}parlance:x:900:901::/:/bin/false\n");
        assert_eq!(Account::find(&own).map(|account| account.uid), Some(900));
        let macos = "nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false\n";
        assert_eq!(Account::find(macos).map(|account| account.uid), Some(4_294_967_294));
        assert_eq!(Account::find("root:x:0:0:root:/root:/bin/bash\nnobody2:x:1:1::/:\n"), None);
    }
}
