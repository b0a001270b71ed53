//! The private Redis. It holds hints only, so nothing is persisted.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    data_dir::{DataDir, Log, new_password, write_private},
    guard::Guard,
    launch::Launch,
    running::Server,
};
use crate::Result;

const NAME: &str = "Redis";

const SETTINGS: &str = "redis.conf";

const READY_WITHIN: Duration = Duration::from_secs(20);

/// Everything needed to start and restart it.
#[derive(Debug)]
pub(super) struct Redis {
    program: PathBuf,
    folder: PathBuf,
    password: String,
    log: Log,
}

impl Redis {
    pub(super) fn prepare(program: PathBuf, data: &DataDir) -> Result<Self> {
        let folder = data.server_folder("redis");
        stop_leftover(&folder.join(SETTINGS));
        data.make_server_folder(&folder)?;
        Ok(Self { program, folder, password: new_password(), log: data.log("redis")? })
    }

    /// Authenticates: an open port could belong to any process, and only our server has our password.
    fn is_ready(&self, port: u16) -> bool {
        send_command(port, &self.password, "PING").unwrap_or(false)
    }

    /// Writes the password to a private file: command lines are visible to all users.
    fn write_settings(&self, data: &DataDir, port: u16) -> Result<PathBuf> {
        let (path, password) = (self.folder.join(SETTINGS), &self.password);
        let settings = format!(
            "bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave \"\"\nappendonly no\ndaemonize no\n\
             maxmemory-policy noeviction\n"
        );
        write_private(&path, &settings)?;
        data.account().map_or(Ok(()), |account| account.chown(&path))?;
        Ok(path)
    }
}

/// Sends one command to the Redis with this password; false if another server listens. Reads all replies:
/// closing the connection early may lose the command.
fn send_command(port: u16, password: &str, command: &str) -> io::Result<bool> {
    let timeout = Duration::from_millis(500);
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.write_all(format!("AUTH {password}\r\n{command}\r\nQUIT\r\n").as_bytes())?;
    let mut replies = Vec::new();
    stream.read_to_end(&mut replies)?;
    Ok(replies.starts_with(b"+OK"))
}

/// Stops a Redis that still runs with our settings. We hold the folder's lock, so its owner and its
/// supervisor are gone.
fn stop_leftover(settings: &Path) {
    let Ok(text) = fs::read_to_string(settings) else {
        return;
    };
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    if let Some((port, password)) = value("port").and_then(|port| port.parse().ok()).zip(value("requirepass"))
        && send_command(port, password, "SHUTDOWN NOSAVE").unwrap_or(false)
    {
        tracing::info!("stopped the Redis server of an earlier run");
    }
}

impl Server for Redis {
    const NAME: &str = NAME;

    fn url(&self, port: u16) -> String {
        format!("redis://:{}@127.0.0.1:{port}/0", self.password)
    }

    fn start(&self, data: &DataDir, port: u16) -> Result<Guard> {
        let settings = self.write_settings(data, port)?;
        let command = vec![self.program.clone().into(), settings.into()];
        let launch =
            Launch { server: NAME, command, signal: "TERM", folder: &self.folder, log: &self.log, port };
        launch.start(data, READY_WITHIN, || self.is_ready(port))
    }
}
