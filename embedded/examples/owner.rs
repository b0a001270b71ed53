//! Test helper: a process that owns servers or fetches a part, for tests that kill or race it.
//!
//! ```text
//! owner servers|ephemeral DATA READY          starts servers, writes their URLs to READY, then sleeps
//! owner redis CACHE REQUIREMENTS PIP READY    fetches Redis with a shell script in place of pip
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use parlance_embedded::parts::Parts;
use parlance_embedded::{Options, Servers, default_cache_dir};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [kind @ ("servers" | "ephemeral"), data, ready] => {
            let servers = Servers::start_blocking(Options {
                data_dir: PathBuf::from(data),
                cache_dir: default_cache_dir(),
                postgres: true,
                redis: true,
                model: None,
                onnxruntime: false,
                ephemeral: kind == "ephemeral",
            })?;
            let urls = [servers.database_url(), servers.redis_url()].map(Option::unwrap_or_default);
            write_atomically(ready, &urls.join("\n"))?;
            // The test kills this process.
            thread::sleep(Duration::from_secs(600));
        }
        ["redis", cache, requirements, pip, ready] => {
            let parts = Parts::new(Path::new(cache)).without_search_path();
            let parts = parts.with_pip(vec![vec!["/bin/sh".into(), pip.into()]]);
            let parts = parts.with_requirements(&fs::read_to_string(requirements)?);
            write_atomically(ready, &parts.redis_server()?.to_string_lossy())?;
        }
        _ => {
            return Err(
                "usage: owner servers|ephemeral DATA READY, or owner redis CACHE REQUIREMENTS PIP READY"
                    .into(),
            );
        }
    }
    Ok(())
}

/// Writes through a rename: a waiting test never sees half a file.
fn write_atomically(file: &str, text: &str) -> std::io::Result<()> {
    let partial = format!("{file}.partial");
    fs::write(&partial, text)?;
    fs::rename(partial, file)
}
