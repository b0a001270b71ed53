//! A server that has a port and a password for good, and a process when it is not stopped.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{data_dir::DataDir, guard::Guard, port};
use crate::{Error, Result};

/// How often a port that was taken meanwhile is replaced by another.
const PORTS: usize = 10;

/// How long a restarted server may wait for its own port.
const SAME_PORT_WITHIN: Duration = Duration::from_secs(10);

/// What is needed to start a server on a port.
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
    /// Starts a server on a free port; one that is taken before the server has it is replaced.
    pub(super) fn start(server: S, data: &DataDir) -> Result<Self> {
        let mut tries = 1;
        loop {
            let port = port::free();
            match server.start(data, port) {
                Ok(guard) => {
                    let url = server.url(port);
                    return Ok(Self { server, port, url, guard: Mutex::new(Some(guard)) });
                }
                Err(Error::PortTaken { .. }) if tries < PORTS => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Starts it on the port it had; nothing if it runs.
    pub(super) fn start_again(&self, data: &DataDir) -> Result<()> {
        let mut guard = self.guard();
        if let Some(running) = guard.as_mut()
            && matches!(running.ended(), Ok(None))
        {
            return Ok(());
        }
        let give_up = Instant::now() + SAME_PORT_WITHIN;
        loop {
            match self.server.start(data, self.port) {
                Ok(started) => {
                    *guard = Some(started);
                    return Ok(());
                }
                Err(Error::PortTaken { .. }) if Instant::now() < give_up => {
                    thread::sleep(Duration::from_millis(100))
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Stops it and waits until it is gone; nothing if it does not run.
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
