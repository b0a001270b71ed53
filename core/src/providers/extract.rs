//! Files become text, each in a child process of its own: no parser survives every file, and none of them may
//! take a worker with it.
//!
//! Must never: parse a file here. The parsers are not among this crate's dependencies; the child is this
//! binary again (`parlance extract`), with limits that it sets itself before it reads a byte.

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

/// The running program, also when its file was replaced by an upgrade.
const SELF: &str = "/proc/self/exe";

/// Starts the children that read files.
#[derive(Clone, Debug)]
pub struct Extractor {
    program: PathBuf,
    /// Children at once: each may take a core and a gigabyte.
    places: Arc<Semaphore>,
}

impl Extractor {
    /// An extractor whose children are `program extract`; `None`: this program.
    ///
    /// # Errors
    /// When this program's own path is not known.
    pub fn new(program: Option<&Path>) -> Result<Self> {
        let program = match program {
            Some(program) => program.to_owned(),
            None if Path::new(SELF).exists() => PathBuf::from(SELF),
            None => std::env::current_exe()
                .map_err(|error| Error::internal("this program's path is not known", error))?,
        };
        let places = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { program, places: Arc::new(Semaphore::new(places)) })
    }

    /// The text of a file. Ends within [`protocol::REPLY_TIMEOUT`] once it has a place, and at once when stopped.
    ///
    /// # Errors
    /// [`Error::Rejected`] with the verdict on the file; [`Error::Cancelled`] when stopped;
    /// [`Error::Internal`] when no child could be started.
    pub async fn extract(
        &self,
        request: &Request,
        bytes: Bytes,
        stop: &CancellationToken,
    ) -> Result<Document> {
        stop.run_until_cancelled(self.extract_now(request, bytes)).await.ok_or(Error::Cancelled)?
    }

    async fn extract_now(&self, request: &Request, bytes: Bytes) -> Result<Document> {
        let _place = self
            .places
            .acquire()
            .await
            .map_err(|error| Error::internal("the places of extraction are closed", error))?;
        let mut child = self.spawn()?;
        let mut header = serde_json::to_vec(request)
            .map_err(|error| Error::internal("a request for text is not JSON", error))?;
        header.push(b'\n');
        let Ok(heard) =
            tokio::time::timeout(protocol::REPLY_TIMEOUT, converse(&mut child, &header, &bytes)).await
        else {
            // Dropping the child would do; its end is waited for, so that its place is free when it is.
            child.kill().await.map_err(|error| Error::internal("a child cannot be ended", error))?;
            return Err(rejected(protocol::verdict_for_exit(None, None, true)));
        };
        let (status, reply) =
            heard.map_err(|error| Error::internal("a child cannot be talked with", error))?;
        understand(status, &reply)
    }

    fn spawn(&self) -> Result<Child> {
        Command::new(&self.program)
            .arg("extract")
            // It learns nothing of this process: no secret, no setting.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Error::internal(format!("{} cannot be started", self.program.display()), error))
    }
}

/// Hands a file over and takes the reply, which may come before the file was read to its end.
async fn converse(child: &mut Child, header: &[u8], bytes: &[u8]) -> std::io::Result<(ExitStatus, Vec<u8>)> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let tell = async {
        let Some(mut stdin) = stdin else { return };
        // A child that has heard enough closes its end; what it says counts.
        if stdin.write_all(header).await.is_ok() && stdin.write_all(bytes).await.is_ok() {
            let _closed = stdin.shutdown().await;
        }
    };
    let hear = async {
        let mut reply = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(protocol::MAX_REPLY_BYTES as u64 + 1).read_to_end(&mut reply).await?;
        }
        Ok::<_, std::io::Error>(reply)
    };
    let ((), reply) = tokio::join!(tell, hear);
    let reply = reply?;
    if reply.len() > protocol::MAX_REPLY_BYTES {
        child.start_kill()?;
    }
    Ok((child.wait().await?, reply))
}

fn understand(status: ExitStatus, reply: &[u8]) -> Result<Document> {
    if reply.len() > protocol::MAX_REPLY_BYTES {
        return Err(Error::rejected("too_large", "The file holds more text than one source may."));
    }
    match serde_json::from_slice(reply) {
        Ok(Reply::Document(document)) if status.success() => Ok(document),
        Ok(Reply::Rejected(rejection)) => Err(rejected(rejection)),
        Ok(Reply::Document(_)) | Err(_) => {
            tracing::info!(%status, "a child died over a file");
            Err(rejected(protocol::verdict_for_exit(status.signal(), status.code(), false)))
        }
    }
}

fn rejected(rejection: protocol::Rejection) -> Error {
    Error::rejected(rejection.verdict.as_str(), rejection.message)
}
