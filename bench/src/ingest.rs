//! What the pipeline costs beside the embedding: from the first byte of the uploads until the last source
//! answers, against ONNX Runtime that embeds the very same chunks.
//!
//! The chunks are read back as they were embedded, headings and content. The reference has the same model
//! file and as many threads, its texts are tokenized beforehand, and it runs them in the batches that suited
//! it best; the uploads, reading and splitting are part of ours. The two work in turns.

use anyhow::Context as _;
use parlance_core::knowledge::chunk::Chunk;
use sqlx::PgPool;
use uuid::Uuid;

use crate::client::Client;
use crate::corpus::{Document, Writer};
use crate::embedding::{Ask, Engine, Pass, Worker, cosine};
use crate::parts::Parts;
use crate::report::{Against, Row};
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server};

/// Documents of a turn, and their bytes: 1,000 chunks, about.
const DOCUMENTS: usize = 8;
const BYTES: usize = 102_000;

const TURNS: usize = 3;

/// Sizes that the reference's batches are tried with, on so many chunks.
const BATCHES: [usize; 5] = [1, 2, 4, 8, 32];
const TRIED: usize = 128;

/// Ours takes at most so many times the reference's time.
const GOAL: f64 = 1.10;

/// Both must compute the same. What is rounded to eight bits is rounded by what is in the batch.
const SAME: f32 = 0.99;

/// A turn: what ours took, what the reference did, and of how many tokens in all.
struct Turn {
    seconds: f64,
    direct: Pass,
    tokens: usize,
}

pub(crate) async fn measure(parts: &Parts) -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let (server, _) = Server::start(&folder, Demo::Without).await?;
    let up = server.up_file().context("up left no file")?;
    let ctx = up.context()?;
    let (client, db, mut writer) = (&server.client, ctx.db().platform(), Writer::new(50));
    let bot = client.bot().await?;
    let (_, warm) = ingest(client, db, &bot, &mut writer, 2).await?;
    let batch = best_batch(&warm)?;
    let tokenizer = parts.tokenizer()?;
    let mut turns = Vec::new();
    for turn in 0..TURNS {
        let (seconds, made) = ingest(client, db, &bot, &mut writer, DOCUMENTS).await?;
        let direct = embed(&made, batch)?;
        let encoded = tokenizer.encode_batch_fast(made.texts.clone(), true);
        let encoded = encoded.map_err(|error| anyhow::anyhow!("{error}"))?;
        let tokens = encoded.iter().map(tokenizers::Encoding::len).sum();
        crate::say(&format!(
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

/// Chunks as they were embedded, and the first one's vector.
struct Made {
    texts: Vec<String>,
    vector: Vec<f32>,
}

/// Uploads documents that nobody has seen, and waits until all answer.
async fn ingest(
    client: &Client,
    db: &PgPool,
    bot: &str,
    writer: &mut Writer,
    count: usize,
) -> anyhow::Result<(f64, Made)> {
    let documents: Vec<Document> = (0..count).map(|number| writer.prose(number, BYTES)).collect();
    let (begun, mut sources) = (std::time::Instant::now(), Vec::new());
    for document in &documents {
        sources.push(client.upload(bot, document).await?);
    }
    client.newest_ready(bot, count).await?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok((seconds, made(db, &sources).await?))
}

async fn made(db: &PgPool, sources: &[String]) -> anyhow::Result<Made> {
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
    Ok(Made { texts, vector })
}

/// The size of batches with which the reference is fastest.
fn best_batch(made: &Made) -> anyhow::Result<usize> {
    let mut direct = Worker::start(Engine::Direct, &made.texts)?;
    let mut tried = Vec::new();
    for _round in 0..2 {
        for batch in BATCHES {
            tried.push((direct.pass(Ask { texts: TRIED, batch })?.seconds, batch));
        }
    }
    // The first one found the reference cold.
    let best = tried.iter().skip(1).min_by(|(a, _), (b, _)| a.total_cmp(b));
    let (_, best) = best.context("no batch was tried")?;
    crate::say(&format!("ONNX Runtime alone by the size of its batches: {tried:.2?}"));
    Ok(*best)
}

fn embed(made: &Made, batch: usize) -> anyhow::Result<Pass> {
    let mut direct = Worker::start(Engine::Direct, &made.texts)?;
    // Ours is warm, too.
    direct.pass(Ask { texts: TRIED / 2, batch })?;
    let pass = direct.pass(Ask { texts: usize::MAX, batch })?;
    let agreed = cosine(&pass.vector, &made.vector);
    anyhow::ensure!(agreed >= SAME, "the reference embeds something else: cosine {agreed}");
    Ok(pass)
}

fn compare(batch: usize, turns: &[Turn]) -> Vec<Row> {
    let of = |value: fn(&Turn) -> f64| turns.iter().map(value).collect::<Samples>().median();
    let chunks = of(|turn| turn.direct.chunks as f64);
    let name = format!("ingest of {chunks:.0} chunks, upload until ready");
    let against = Against::Baseline {
        name: format!("ONNX Runtime alone, batches of {batch},"),
        value: of(|turn| turn.direct.seconds),
        ratio: of(|turn| turn.seconds / turn.direct.seconds),
        most: GOAL,
    };
    let length = of(|turn| turn.tokens as f64 / turn.direct.chunks as f64);
    vec![
        Row::new(name.clone(), of(|turn| turn.seconds), "s", turns.len(), against),
        Row::plain(format!("{name}: length of a chunk"), length, "tokens", turns.len()),
        Row::plain(
            format!("{name}: chunks in a second"),
            of(|turn| turn.direct.chunks as f64 / turn.seconds),
            "chunks/s",
            turns.len(),
        ),
    ]
}
