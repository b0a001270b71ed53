//! A server with a fixed port and password, whose process can be stopped and restarted.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{data_dir::DataDir, guard::Guard, port};
use crate::{Error, Result};

/// Attempts to find a port that is still free when the server binds it.
const PORT_ATTEMPTS: usize = 10;

/// How long a restart waits for its port.
const SAME_PORT_WITHIN: Duration = Duration::from_secs(10);

/// Starts one kind of server.
pub(super) trait Server {
    const NAME: &str;

    fn url(&self, port: u16) -> String;

    fn start(&self, data: &DataDir, port: u16) -> Result<Guard>;
}

/// A server with its port.
#[derive(Debug)]
pub(super) struct Running<S> {
    server: S,
    port: u16,
    pub(super) url: String,
    guard: Mutex<Option<Guard>>,
}

impl<S: Server> Running<S> {
    /// Starts a server on a free port; tries another port if that one is taken meanwhile.
    pub(super) fn start(server: S, data: &DataDir) -> Result<Self> {
        let mut attempts = 1;
        loop {
            let port = port::free();
            match server.start(data, port) {
                Ok(guard) => {
                    let url = server.url(port);
                    return Ok(Self { server, port, url, guard: Mutex::new(Some(guard)) });
                }
                Err(Error::PortTaken { .. }) if attempts < PORT_ATTEMPTS => attempts += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Starts the server on its old port, unless it is running.
    pub(super) fn restart(&self, data: &DataDir) -> Result<()> {
        let mut guard = self.guard();
        if let Some(running) = guard.as_mut()
            && matches!(running.try_wait(), Ok(None))
        {
            return Ok(());
        }
        let deadline = Instant::now() + SAME_PORT_WITHIN;
        loop {
            match self.server.start(data, self.port) {
                Ok(started) => {
                    *guard = Some(started);
                    return Ok(());
                }
                Err(Error::PortTaken { .. }) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(100))
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Stops the server and waits for its exit, unless it is stopped.
    pub(super) fn stop(&self) {
        if let Some(guard) = self.guard().take()
            && !guard.stop()
        {
            tracing::warn!("{} did not stop in time", S::NAME);
        }
    }

    fn guard(&self) -> MutexGuard<'_, Option<Guard>> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
