//! Memory of the process: idle with its model loaded, and while it embeds a thousand chunks.
//!
//! The servers that `up` starts are separate processes and not counted.

use std::time::Duration;

use crate::chat::{CHUNKS, DOCUMENT_BYTES};
use crate::corpus::Writer;
use crate::proc::{self, Memory};
use crate::report::Row;
use crate::server::{DataFolder, Demo, Server};

/// In MB.
const IDLE_GOAL: f64 = 300.0;

/// In MB.
const EMBEDDING_GOAL: f64 = 450.0;

/// Time until the work of a start or of the ingestion has ended.
const SETTLE: Duration = Duration::from_secs(3);

const SAMPLE_INTERVAL: Duration = Duration::from_millis(20);

/// More than enough documents for [`CHUNKS`] chunks, uploaded at once as by a new customer.
const DOCUMENTS: usize = 8;

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let (server, _) = Server::start(&folder, Demo::Without).await?;
    let pid = server.pid();
    tokio::time::sleep(SETTLE).await;
    let idle = proc::memory(pid)?;

    // Exact where the system lets us reset the peak; otherwise the maximum of the samples.
    let exact = proc::reset_peak(pid);
    let Usage { chunks, largest, samples } = watch(&server).await?;
    anyhow::ensure!(chunks >= CHUNKS, "only {chunks} chunks were embedded");
    let peak = if exact { proc::memory(pid)?.peak } else { largest.resident };
    tokio::time::sleep(SETTLE).await;
    let after = proc::memory(pid)?;
    server.stop()?;

    Ok(vec![
        Row::at_most(IDLE_GOAL, "memory, idle: resident", idle.resident, "MB", 1),
        Row::plain("memory, idle: anonymous", idle.anonymous, "MB", 1),
        Row::plain("memory, idle: files", idle.files, "MB", 1),
        Row::plain("memory, idle: peak of the start", idle.peak, "MB", 1),
        Row::at_most(
            EMBEDDING_GOAL,
            format!("memory, embedding {chunks} chunks: peak resident"),
            peak,
            "MB",
            samples,
        ),
        Row::plain("memory, embedding: largest sample, anonymous", largest.anonymous, "MB", samples),
        Row::plain("memory, embedding: largest sample, files", largest.files, "MB", samples),
        Row::plain("memory, idle again: resident", after.resident, "MB", 1),
    ])
}

/// Memory usage while chunks were embedded.
struct Usage {
    chunks: u64,
    /// The largest sample.
    largest: Memory,
    samples: usize,
}

async fn watch(server: &Server<'_>) -> anyhow::Result<Usage> {
    let (mut largest, mut samples) = (Memory::default(), 0);
    let work = embed(server);
    tokio::pin!(work);
    loop {
        tokio::select! {
            chunks = &mut work => return Ok(Usage { chunks: chunks?, largest, samples }),
            () = tokio::time::sleep(SAMPLE_INTERVAL) => {}
        }
        let now = proc::memory(server.pid())?;
        samples += 1;
        if now.resident > largest.resident {
            largest = now;
        }
    }
}

async fn embed(server: &Server<'_>) -> anyhow::Result<u64> {
    let (client, mut writer) = (&server.client, Writer::new(30));
    let bot = client.bot().await?;
    let mut sources = Vec::new();
    for number in 0..DOCUMENTS {
        sources.push(client.upload(&bot, &writer.document(number, DOCUMENT_BYTES)).await?);
    }
    let mut chunks = 0;
    for source in sources {
        chunks += client.ready(&source).await?;
    }
    Ok(chunks)
}
