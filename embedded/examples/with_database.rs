//! Runs a command with `DATABASE_URL` set to a private, migrated database.
//!
//! For `sqlx`'s compile-time checks. Must not depend on the crates that those checks compile.
//!
//! ```text
//! cargo run --example with_database -- cargo check
//! ```

use std::path::Path;
use std::process::{Command, ExitCode};

use parlance_embedded::parts::Parts;
use parlance_embedded::{Servers, default_cache_dir};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let program = args.next().ok_or("usage: with_database COMMAND [ARGS]")?;
    let servers = Servers::ephemeral_blocking(&default_cache_dir())?;
    let url = servers.database_url().ok_or("no Postgres was started")?;
    let psql = Parts::new(&default_cache_dir()).postgres_bin()?.join("psql");
    for migration in migrations()? {
        let applied = Command::new(&psql)
            .args(["--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1"])
            .arg(format!("--file={}", migration.display()))
            .arg(url)
            .env("PGOPTIONS", "--client-min-messages=warning")
            .status()?;
        if !applied.success() {
            return Err(format!("cannot apply {}", migration.display()).into());
        }
    }
    let mut command = Command::new(program);
    command.args(args).env("DATABASE_URL", url);
    // An inner cargo inherits these variables from the outer one. They would invalidate every crate that
    // reads them, and all dependents.
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("CARGO_PKG_") || name_text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    let status = command.status()?;
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
}

fn migrations() -> std::io::Result<Vec<std::path::PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut files =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    Ok(files)
}
