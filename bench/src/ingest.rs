//! The cost of the ingestion pipeline beyond the embedding.
//!
//! From the first byte of the uploads until the last source is ready, against ONNX Runtime embedding the same
//! chunks.
//!
//! The chunks are read back as they were embedded, with headings. The reference has the same model file and
//! number of threads, texts tokenized in advance, and the batch size that suits it best. Ours includes
//! upload, extraction and splitting. The two run in turns.

use anyhow::Context as _;
use parlance_core::knowledge::chunk::Chunk;
use sqlx::PgPool;
use uuid::Uuid;

use crate::client::Client;
use crate::corpus::{Document, Writer};
use crate::embedding::{EmbedRequest, EmbedRun, Engine, Worker, cosine};
use crate::parts::Parts;
use crate::report::{Against, Row};
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server};

/// Documents per turn, and their size: about 1,000 chunks.
const DOCUMENTS: usize = 8;
const BYTES: usize = 102_000;

const TURNS: usize = 3;

/// Batch sizes to try with the reference, and the number of chunks to try them on.
const BATCHES: [usize; 5] = [1, 2, 4, 8, 32];
const TRIAL_CHUNKS: usize = 128;

/// Maximum ratio to the reference's time.
const GOAL: f64 = 1.10;

/// Minimum cosine of the two sides' vectors. Quantization to eight bits depends on the other texts of a
/// batch.
const MIN_COSINE: f32 = 0.99;

/// A turn: our time, the reference's run, and the number of tokens.
struct Turn {
    seconds: f64,
    direct: EmbedRun,
    tokens: usize,
}

pub(crate) async fn measure(parts: &Parts) -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let (server, _) = Server::start(&folder, Demo::Without).await?;
    let up = server.up_file().context("up left no file")?;
    let ctx = up.context()?;
    let (client, db, mut writer) = (&server.client, ctx.db().platform(), Writer::new(50));
    let bot = client.bot().await?;
    let (_, warm_up) = ingest(client, db, &bot, &mut writer, 2).await?;
    let batch = best_batch(&warm_up)?;
    let tokenizer = parts.tokenizer()?;
    let mut turns = Vec::new();
    for turn in 0..TURNS {
        let (seconds, embedded) = ingest(client, db, &bot, &mut writer, DOCUMENTS).await?;
        let direct = embed(&embedded, batch)?;
        let encoded = tokenizer.encode_batch_fast(embedded.texts.clone(), true);
        let encoded = encoded.map_err(|error| anyhow::anyhow!("{error}"))?;
        let tokens = encoded.iter().map(tokenizers::Encoding::len).sum();
        crate::progress(&format!(
            "turn {turn}: {} chunks in {seconds:.2} s, ONNX Runtime alone {:.2} s: {:.3}",
            direct.chunks,
            direct.seconds,
            seconds / direct.seconds,
        ));
        turns.push(Turn { seconds, direct, tokens });
    }
    ctx.close().await;
    server.stop()?;
    Ok(compare(batch, &turns))
}

/// Chunks as they were embedded, and the vector of the first one.
struct Embedded {
    texts: Vec<String>,
    vector: Vec<f32>,
}

/// Uploads new documents and waits until all are ready.
async fn ingest(
    client: &Client,
    db: &PgPool,
    bot: &str,
    writer: &mut Writer,
    count: usize,
) -> anyhow::Result<(f64, Embedded)> {
    let documents: Vec<Document> = (0..count).map(|number| writer.prose(number, BYTES)).collect();
    let (started, mut sources) = (std::time::Instant::now(), Vec::new());
    for document in &documents {
        sources.push(client.upload(bot, document).await?);
    }
    client.newest_ready(bot, count).await?;
    let seconds = started.elapsed().as_secs_f64();
    Ok((seconds, embedded(db, &sources).await?))
}

async fn embedded(db: &PgPool, sources: &[String]) -> anyhow::Result<Embedded> {
    let sources: Vec<Uuid> = sources.iter().map(|source| source.parse()).collect::<Result<_, _>>()?;
    let chunks: Vec<(Option<String>, String)> = sqlx::query_as(
        "select heading, content from chunk where source_id = any($1) order by source_id, version, ordinal",
    )
    .bind(&sources)
    .fetch_all(db)
    .await?;
    let vector: Vec<f32> = sqlx::query_scalar(
        r"
        select embedding::vector::real[] from chunk_vector join chunk on chunk.id = chunk_id
        where chunk.source_id = any($1) order by chunk.source_id, chunk.version, ordinal limit 1
        ",
    )
    .bind(&sources)
    .fetch_one(db)
    .await?;
    let texts =
        chunks.iter().map(|(heading, content)| Chunk::embedded_text(heading.as_deref(), content)).collect();
    Ok(Embedded { texts, vector })
}

/// The fastest batch size of the reference.
fn best_batch(embedded: &Embedded) -> anyhow::Result<usize> {
    let mut direct = Worker::start(Engine::Direct, &embedded.texts)?;
    let mut trials = Vec::new();
    for _round in 0..2 {
        for batch in BATCHES {
            let request = EmbedRequest { texts: TRIAL_CHUNKS, batch };
            trials.push((direct.run(request)?.seconds, batch));
        }
    }
    // Skips the first trial, when the reference was cold.
    let best = trials.iter().skip(1).min_by(|(a, _), (b, _)| a.total_cmp(b));
    let (_, best) = best.context("no batch size was tried")?;
    crate::progress(&format!("ONNX Runtime alone, seconds by batch size: {trials:.2?}"));
    Ok(*best)
}

fn embed(embedded: &Embedded, batch: usize) -> anyhow::Result<EmbedRun> {
    let mut direct = Worker::start(Engine::Direct, &embedded.texts)?;
    // Our side is warm too.
    direct.run(EmbedRequest { texts: TRIAL_CHUNKS / 2, batch })?;
    let run = direct.run(EmbedRequest { texts: usize::MAX, batch })?;
    let cosine = cosine(&run.vector, &embedded.vector);
    anyhow::ensure!(cosine >= MIN_COSINE, "the reference computes other vectors: cosine {cosine}");
    Ok(run)
}

fn compare(batch: usize, turns: &[Turn]) -> Vec<Row> {
    let median = |value: fn(&Turn) -> f64| turns.iter().map(value).collect::<Samples>().median();
    let chunks = median(|turn| turn.direct.chunks as f64);
    let name = format!("ingest of {chunks:.0} chunks, upload until ready");
    let against = Against::Baseline {
        name: format!("ONNX Runtime alone, batches of {batch},"),
        value: median(|turn| turn.direct.seconds),
        ratio: median(|turn| turn.seconds / turn.direct.seconds),
        most: GOAL,
    };
    let length = median(|turn| turn.tokens as f64 / turn.direct.chunks as f64);
    vec![
        Row::new(name.clone(), median(|turn| turn.seconds), "s", turns.len(), against),
        Row::plain(format!("{name}: length of a chunk"), length, "tokens", turns.len()),
        Row::plain(
            format!("{name}: chunks per second"),
            median(|turn| turn.direct.chunks as f64 / turn.seconds),
            "chunks/s",
            turns.len(),
        ),
    ]
}
