//! Text extraction in child processes, one per file: a parser crash must not take a worker down.
//!
//! Scanned pages of a PDF are read by a text recognition program, if it is installed: see `recognition`.
//!
//! Must never parse a file in this process. The parsers are not dependencies of this crate; the child is the
//! same binary (`parlance extract`), which sets its own resource limits before it reads a byte.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use parlance_extract::protocol::{self, Document, Rejection, Reply, Request, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::error::{Chain, Error, Result};
use crate::ids::TenantId;
use crate::platform::fair_places::FairPlaces;

mod recognition;

use recognition::Recogniser;

/// A document, or the verdict on a file without one.
pub type Extraction = std::result::Result<Document, Rejection>;

/// The running executable, even after an upgrade replaced its file.
const SELF: &str = "/proc/self/exe";

/// Places beyond one per core, for tenants without a file in progress: a file that takes a minute delays only its own
/// tenant's files.
const SPARE: usize = 1;

/// Spawns extraction processes.
#[derive(Clone, Debug)]
pub struct Extractor {
    program: PathBuf,
    /// Working places, shared fairly by tenants. They limit concurrent children: each may use a core and a gigabyte.
    places: FairPlaces<TenantId>,
    /// Number of places, without the spare one.
    parallelism: usize,
    /// Text recognition; `None`: scanned pages are not read.
    recogniser: Option<Arc<Recogniser>>,
}

impl Extractor {
    /// An extractor that runs `program extract`; `None`: the current executable. `tesseract` reads scanned
    /// pages; `None`: they are not read.
    ///
    /// # Errors
    /// When the path of the current executable is unknown.
    pub fn new(program: Option<&Path>, tesseract: Option<&Path>) -> Result<Self> {
        let program = match program {
            Some(program) => program.to_owned(),
            None if Path::new(SELF).exists() => PathBuf::from(SELF),
            None => std::env::current_exe()
                .map_err(|error| Error::internal("cannot find the path of this executable", error))?,
        };
        let parallelism = std::thread::available_parallelism().map_or(1, usize::from);
        let recogniser = tesseract.map(|tesseract| Arc::new(Recogniser::new(&program, tesseract)));
        Ok(Self { program, places: FairPlaces::new(parallelism, SPARE), parallelism, recogniser })
    }

    /// Number of files being read at this moment.
    #[must_use]
    pub fn places_in_use(&self) -> usize {
        self.places.in_use()
    }

    /// Extracts the text of a tenant's file. Returns within [`protocol::REPLY_TIMEOUT`] of getting a place, and
    /// immediately when stopped. Scanned pages are not read.
    ///
    /// # Errors
    /// [`Error::Rejected`] with the verdict on the file; [`Error::Cancelled`] when stopped;
    /// [`Error::Internal`] when a child cannot be started.
    pub async fn extract(
        &self,
        tenant: TenantId,
        request: &Request,
        bytes: Bytes,
        stop: &CancellationToken,
    ) -> Result<Document> {
        let extracted = stop.run_until_cancelled(self.extract_text(tenant, request, &bytes)).await;
        let extracted = extracted.ok_or(Error::Cancelled)??;
        recognition::without(extracted, self.recogniser.is_some()).map_err(rejected)
    }

    /// Extracts the text of a tenant's file, and reads its scanned pages by text recognition, in `language` (ISO
    /// 639-2) if its data is installed. `progress` receives the number of scanned pages done and their total.
    ///
    /// # Errors
    /// As [`Extractor::extract`].
    pub async fn extract_with_scans(
        &self,
        tenant: TenantId,
        request: &Request,
        bytes: Bytes,
        language: &str,
        progress: &(dyn Fn(usize, usize) + Sync),
        stop: &CancellationToken,
    ) -> Result<Document> {
        let read = self.read_with_scans(tenant, request, bytes, language, progress, stop).await?;
        read.map_err(rejected)
    }

    /// As [`Extractor::extract_with_scans`], but returns a rejection as a value: a web page's carries its
    /// metadata.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when stopped; [`Error::Internal`] when a child cannot be started.
    pub async fn read_with_scans(
        &self,
        tenant: TenantId,
        request: &Request,
        bytes: Bytes,
        language: &str,
        progress: &(dyn Fn(usize, usize) + Sync),
        stop: &CancellationToken,
    ) -> Result<Extraction> {
        let extracted = async {
            let extracted = self.extract_text(tenant, request, &bytes).await?;
            let Some(recogniser) = self.recogniser.as_deref() else {
                return Ok(recognition::without(extracted, false));
            };
            let pages: Vec<u32> = recognition::scanned_pages(&extracted).to_vec();
            if pages.is_empty() {
                return Ok(extracted);
            }
            progress(0, pages.len());
            // Boxed, because the compiler cannot infer that a stream of borrowing futures is `Send`.
            let recognitions: Vec<BoxFuture<'_, Option<String>>> = pages
                .iter()
                .take(recognition::MAX_PAGES)
                .map(|page| self.recognise(recogniser, tenant, request, &bytes, *page, language).boxed())
                .collect();
            let mut recognised = stream::iter(recognitions).buffered(self.parallelism);
            let mut texts = Vec::new();
            while let Some(text) = recognised.next().await {
                texts.push(text);
                progress(texts.len(), pages.len());
            }
            Ok::<_, Error>(recognition::merge(extracted, pages.into_iter().zip(texts).collect()))
        };
        stop.run_until_cancelled(extracted).await.ok_or(Error::Cancelled)?
    }

    /// The languages that scanned pages are read in (names of Tesseract's data); `None`: they are not read.
    ///
    /// # Errors
    /// When Tesseract does not start or has no languages.
    pub async fn recognised_languages(&self) -> Result<Option<Vec<String>>> {
        match self.recogniser.as_deref() {
            Some(recogniser) => Ok(Some(recogniser.languages().await?.to_vec())),
            None => Ok(None),
        }
    }

    /// The text of a page by recognition; `None` if it cannot be read.
    async fn recognise(
        &self,
        recogniser: &Recogniser,
        tenant: TenantId,
        request: &Request,
        bytes: &Bytes,
        page: u32,
        language: &str,
    ) -> Option<String> {
        let recognised = async {
            let _place = self.places.take(tenant).await;
            let request = Request { image_of_page: Some(page), ..request.clone() };
            match self.reply(&request, bytes).await? {
                Ok((Reply::Image(image), pixels)) => recogniser.read(image, pixels, language).await,
                Ok(_) => Ok(None),
                Err(rejection) => {
                    tracing::info!(page, %rejection, "scanned page not rendered");
                    Ok(None)
                }
            }
        };
        recognised.await.unwrap_or_else(|error| {
            tracing::warn!(page, error = %Chain(&error), "text recognition failed; leaving the page out");
            None
        })
    }

    async fn extract_text(&self, tenant: TenantId, request: &Request, bytes: &Bytes) -> Result<Extraction> {
        let _place = self.places.take(tenant).await;
        Ok(self.reply(request, bytes).await?.and_then(|(reply, _)| match reply {
            Reply::Document(document) => Ok(document),
            Reply::Rejected(rejection) => Err(rejection),
            Reply::Image(_) => Err(protocol::verdict_for_exit(None, None, false)),
        }))
    }

    /// The child's reply, with the bytes that follow it.
    async fn reply(
        &self,
        request: &Request,
        bytes: &[u8],
    ) -> Result<std::result::Result<(Reply, Bytes), Rejection>> {
        let mut header = serde_json::to_vec(request)
            .map_err(|error| Error::internal("cannot encode the extraction request", error))?;
        header.push(b'\n');
        let mut command = Command::new(&self.program);
        command.arg("extract");
        let exchanged = exchange(command, &header, bytes, protocol::REPLY_TIMEOUT).await?;
        let Some((status, reply)) = exchanged else {
            return Ok(Err(protocol::verdict_for_exit(None, None, true)));
        };
        // The reply is a text of up to twenty megabytes.
        crate::blocking(move || parse_reply(status, reply)).await
    }
}

/// Runs a child process with this input. Returns its exit status and its output of at most
/// [`protocol::MAX_REPLY_BYTES`] and a byte, or `None` after the timeout.
async fn exchange(
    mut command: Command,
    header: &[u8],
    bytes: &[u8],
    timeout: Duration,
) -> Result<Option<(ExitStatus, Vec<u8>)>> {
    let program = command.as_std().get_program().to_owned();
    let mut child = command
        // The child inherits no secrets or settings.
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Error::internal(format!("cannot start {}", program.display()), error))?;
    let Ok(exchanged) = tokio::time::timeout(timeout, converse(&mut child, header, bytes)).await else {
        // Dropping would also kill the child, but the place must not be released before the child has exited.
        child.kill().await.map_err(|error| Error::internal("cannot kill a child process", error))?;
        return Ok(None);
    };
    exchanged.map(Some).map_err(|error| Error::internal("cannot talk to a child process", error))
}

/// Sends the file and receives the reply, which may arrive before the file is fully read.
async fn converse(child: &mut Child, header: &[u8], bytes: &[u8]) -> std::io::Result<(ExitStatus, Vec<u8>)> {
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

fn parse_reply(status: ExitStatus, reply: Vec<u8>) -> std::result::Result<(Reply, Bytes), Rejection> {
    if reply.len() > protocol::MAX_REPLY_BYTES {
        let message = "The file holds more text than one source may.";
        return Err(Rejection::new(Verdict::TooLarge, message));
    }
    let mut values = serde_json::Deserializer::from_slice(&reply).into_iter();
    let parsed = values.next();
    let end = values.byte_offset();
    match parsed {
        Some(Ok(Reply::Rejected(rejection))) => Err(rejection),
        Some(Ok(document)) if status.success() => Ok((document, Bytes::from(reply).slice(end..))),
        _ => {
            tracing::info!(%status, "extraction process died; rejecting the file");
            Err(protocol::verdict_for_exit(status.signal(), status.code(), false))
        }
    }
}

fn rejected(rejection: protocol::Rejection) -> Error {
    Error::rejected(rejection.verdict.as_str(), rejection.message)
}
