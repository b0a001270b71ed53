//! Text extraction in child processes, one per file: a parser crash must not take a worker down.
//!
//! Must never parse a file in this process. The parsers are not dependencies of this crate; the child is the
//! same binary (`parlance extract`), which sets its own resource limits before it reads a byte.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use parlance_extract::protocol::{self, Document, Reply, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};

/// The running executable, even after an upgrade replaced its file.
const SELF: &str = "/proc/self/exe";

/// Spawns extraction processes.
#[derive(Clone, Debug)]
pub struct Extractor {
    program: PathBuf,
    /// Limits concurrent children: each may use a core and a gigabyte.
    permits: Arc<Semaphore>,
}

impl Extractor {
    /// An extractor that runs `program extract`; the current executable if `None`.
    ///
    /// # Errors
    /// When the path of the current executable is unknown.
    pub fn new(program: Option<&Path>) -> Result<Self> {
        let program = match program {
            Some(program) => program.to_owned(),
            None if Path::new(SELF).exists() => PathBuf::from(SELF),
            None => std::env::current_exe()
                .map_err(|error| Error::internal("cannot find the path of this executable", error))?,
        };
        let permits = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { program, permits: Arc::new(Semaphore::new(permits)) })
    }

    /// Extracts the text of a file. Returns within [`protocol::REPLY_TIMEOUT`] of getting a permit, and immediately
    /// when stopped.
    ///
    /// # Errors
    /// [`Error::Rejected`] with the verdict on the file; [`Error::Cancelled`] when stopped;
    /// [`Error::Internal`] when a child cannot be started.
    pub async fn extract(
        &self,
        request: &Request,
        bytes: Bytes,
        stop: &CancellationToken,
    ) -> Result<Document> {
        match self.read(request, bytes, stop).await? {
            Reply::Document(document) => Ok(document),
            Reply::Rejected(rejection) => Err(rejected(rejection)),
        }
    }

    /// As [`Extractor::extract`], with a rejection as a value: that of a web page carries its metadata.
    ///
    /// # Errors
    /// [`Error::Rejected`] for an oversized reply; [`Error::Cancelled`] when stopped; [`Error::Internal`] when a
    /// child cannot be started.
    pub async fn read(&self, request: &Request, bytes: Bytes, stop: &CancellationToken) -> Result<Reply> {
        stop.run_until_cancelled(self.read_now(request, bytes)).await.ok_or(Error::Cancelled)?
    }

    async fn read_now(&self, request: &Request, bytes: Bytes) -> Result<Reply> {
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|error| Error::internal("the extraction semaphore is closed", error))?;
        let mut child = self.spawn()?;
        let mut header = serde_json::to_vec(request)
            .map_err(|error| Error::internal("cannot encode the extraction request", error))?;
        header.push(b'\n');
        let Ok(exchanged) =
            tokio::time::timeout(protocol::REPLY_TIMEOUT, exchange(&mut child, &header, &bytes)).await
        else {
            // Dropping would kill the child too, but the permit must not be released before it has exited.
            child
                .kill()
                .await
                .map_err(|error| Error::internal("cannot kill an extraction process", error))?;
            return Ok(Reply::Rejected(protocol::verdict_for_exit(None, None, true)));
        };
        let (status, reply) =
            exchanged.map_err(|error| Error::internal("cannot talk to an extraction process", error))?;
        parse_reply(status, &reply)
    }

    fn spawn(&self) -> Result<Child> {
        Command::new(&self.program)
            .arg("extract")
            // The child inherits no secrets or settings.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Error::internal(format!("cannot start {}", self.program.display()), error))
    }
}

/// Sends the file and receives the reply, which may arrive before the file is fully read.
async fn exchange(child: &mut Child, header: &[u8], bytes: &[u8]) -> std::io::Result<(ExitStatus, Vec<u8>)> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let send = async {
        let Some(mut stdin) = stdin else { return };
        // Write errors are ignored: a child may close its end early, and its reply is still valid.
        if stdin.write_all(header).await.is_ok() && stdin.write_all(bytes).await.is_ok() {
            let _closed = stdin.shutdown().await;
        }
    };
    let receive = async {
        let mut reply = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(protocol::MAX_REPLY_BYTES as u64 + 1).read_to_end(&mut reply).await?;
        }
        Ok::<_, std::io::Error>(reply)
    };
    let ((), reply) = tokio::join!(send, receive);
    let reply = reply?;
    if reply.len() > protocol::MAX_REPLY_BYTES {
        child.start_kill()?;
    }
    Ok((child.wait().await?, reply))
}

fn parse_reply(status: ExitStatus, reply: &[u8]) -> Result<Reply> {
    if reply.len() > protocol::MAX_REPLY_BYTES {
        return Err(Error::rejected("too_large", "The file holds more text than one source may."));
    }
    match serde_json::from_slice(reply) {
        Ok(Reply::Document(document)) if status.success() => Ok(Reply::Document(document)),
        Ok(Reply::Rejected(rejection)) => Ok(Reply::Rejected(rejection)),
        Ok(Reply::Document(_)) | Err(_) => {
            tracing::info!(%status, "extraction process died; rejecting the file");
            Ok(Reply::Rejected(protocol::verdict_for_exit(status.signal(), status.code(), false)))
        }
    }
}

fn rejected(rejection: protocol::Rejection) -> Error {
    Error::rejected(rejection.verdict.as_str(), rejection.message)
}
