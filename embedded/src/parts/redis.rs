//! Finds an installed Redis, or its fork Valkey.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The oldest version with the commands that we and our libraries use.
const OLDEST: (u32, u32) = (6, 2);

/// The first recent enough and usable server on the PATH.
pub(super) fn on_path(usable: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    ["redis-server", "valkey-server"]
        .iter()
        .filter_map(|name| which::which(name).ok())
        .find(|path| usable(path) && version(path).is_some_and(|version| version >= OLDEST))
}

fn version(program: &Path) -> Option<(u32, u32)> {
    let output =
        Command::new(program).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    parse(&String::from_utf8_lossy(&output.stdout))
}

fn parse(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_once(" v=")?.1.split(['.', ' ']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_versions_of_redis_and_valkey() {
        assert_eq!(parse("Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64 build=1"), Some((6, 2)));
        assert_eq!(parse("Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"), Some((8, 1)));
        assert_eq!(parse("something else"), None);
        assert!(Some((7, 0)) >= Some(OLDEST) && Some((6, 0)) < Some(OLDEST));
    }
}
