//! The memory of the process: idle with its model loaded, and while it embeds a thousand chunks. The
//! servers that `up` starts are processes of their own and not counted.

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

/// After this nothing of the start runs any more.
const QUIET: Duration = Duration::from_secs(3);

const SAMPLING: Duration = Duration::from_millis(20);

/// More than enough documents for [`CHUNKS`] chunks; uploaded at once, as a new customer does.
const DOCUMENTS: usize = 8;

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let (server, _) = Server::start(&folder, Demo::Without).await?;
    let pid = server.pid();
    tokio::time::sleep(QUIET).await;
    let idle = proc::memory(pid)?;

    // What comes is sampled; where the system lets the old peak be forgotten, nothing escapes.
    let exact = proc::forget_peak(pid);
    let Watched { chunks, most, samples } = watch(&server).await?;
    anyhow::ensure!(chunks >= CHUNKS, "only {chunks} chunks were embedded");
    let peak = if exact { proc::memory(pid)?.peak } else { most.resident };
    tokio::time::sleep(QUIET).await;
    let after = proc::memory(pid)?;
    server.stop()?;

    Ok(vec![
        Row::at_most(IDLE_GOAL, "memory, idle: resident", idle.resident, "MB", 1),
        Row::plain("memory, idle: of it anonymous", idle.anonymous, "MB", 1),
        Row::plain("memory, idle: of it files", idle.files, "MB", 1),
        Row::plain("memory, idle: peak of the start", idle.peak, "MB", 1),
        Row::at_most(
            EMBEDDING_GOAL,
            format!("memory, embedding {chunks} chunks: most resident"),
            peak,
            "MB",
            samples,
        ),
        Row::plain("memory, embedding: of the largest sample anonymous", most.anonymous, "MB", samples),
        Row::plain("memory, embedding: of the largest sample files", most.files, "MB", samples),
        Row::plain("memory, idle again: resident", after.resident, "MB", 1),
    ])
}

/// What was seen while chunks were embedded.
struct Watched {
    chunks: u64,
    /// The largest sample.
    most: Memory,
    samples: usize,
}

async fn watch(server: &Server<'_>) -> anyhow::Result<Watched> {
    let (mut most, mut samples) = (Memory::default(), 0);
    let work = embed(server);
    tokio::pin!(work);
    loop {
        tokio::select! {
            chunks = &mut work => return Ok(Watched { chunks: chunks?, most, samples }),
            () = tokio::time::sleep(SAMPLING) => {}
        }
        let now = proc::memory(server.pid())?;
        samples += 1;
        if now.resident > most.resident {
            most = now;
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
