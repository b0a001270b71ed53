//! Synthetic knowledge of any size, statistically similar to texts.
//!
//! A vector is a weighted sum of directions: one shared by all (what texts of a language have in common), one
//! per topic (200 chunks), one per source (50 chunks), and its own. Cosines: 0.7 within a source, 0.45 within
//! a topic, 0.16 otherwise. A question is a chunk's vector moved to a cosine of 0.8. Words follow Zipf's law
//! over 30,000; a third of a chunk's words come from its source's list.

use pgvector::HalfVector;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use sqlx::PgConnection;
use uuid::Uuid;

const DIMENSIONS: usize = 384;
const CHUNKS_PER_SOURCE: usize = 50;
const SOURCES_PER_TOPIC: usize = 4;
const WORDS_PER_CHUNK: usize = 200;
const VOCABULARY: u32 = 30_000;
const WORDS_PER_SOURCE: usize = 80;

/// Weights of the directions: shared, topic, source, own.
const WEIGHTS: [f32; 4] = [0.4, 0.55, 0.5, 0.55];

/// Rows per insert statement.
const BATCH: usize = 1_000;

/// A question to a bot.
pub(super) struct Question {
    pub(super) vector: Vec<f32>,
    /// Rare words of a chunk, and frequent words.
    pub(super) words: String,
}

/// Generates chunks and questions; deterministic for a seed.
pub(super) struct Generator {
    rng: StdRng,
    shared: Vec<f32>,
}

/// Chunks, column by column.
#[derive(Default)]
struct Rows {
    ids: Vec<Uuid>,
    sources: Vec<Uuid>,
    ordinals: Vec<i32>,
    contents: Vec<String>,
    vectors: Vec<HalfVector>,
}

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let shared = direction(&mut rng);
        Self { rng, shared }
    }

    /// Inserts chunks of a bot, as if ingested and embedded, but with `live_chunks` = 0. Returns questions
    /// about some of them.
    pub(super) async fn fill(
        &mut self,
        db: &mut PgConnection,
        model: &str,
        (tenant, bot): (Uuid, Uuid),
        chunks: usize,
        questions: usize,
    ) -> anyhow::Result<Vec<Question>> {
        let (mut rows, mut generated) = (Rows::default(), Vec::new());
        let every = (chunks / questions.max(1)).max(1);
        let mut topic = direction(&mut self.rng);
        let mut done = 0;
        while done < chunks {
            if done.is_multiple_of(CHUNKS_PER_SOURCE * SOURCES_PER_TOPIC) {
                topic = direction(&mut self.rng);
            }
            let (source, own) = (Uuid::now_v7(), direction(&mut self.rng));
            let count = CHUNKS_PER_SOURCE.min(chunks - done);
            add_source(db, tenant, bot, source, count).await?;
            let words: Vec<u32> =
                (0..WORDS_PER_SOURCE).map(|_| self.rng.random_range(0..VOCABULARY)).collect();
            for ordinal in 0..count {
                let vector = sum(WEIGHTS, [&self.shared, &topic, &own, &direction(&mut self.rng)]);
                let text = self.text(&words);
                if (done + ordinal).is_multiple_of(every) && generated.len() < questions {
                    generated.push(self.question(&vector, &text));
                }
                rows.ids.push(Uuid::now_v7());
                rows.sources.push(source);
                rows.ordinals.push(i32::try_from(ordinal)?);
                rows.contents.push(text.iter().map(|word| format!("w{word} ")).collect());
                rows.vectors.push(HalfVector::from_f32_slice(&vector));
            }
            done += count;
            if rows.ids.len() >= BATCH || done == chunks {
                write(db, tenant, bot, model, &std::mem::take(&mut rows)).await?;
            }
        }
        Ok(generated)
    }

    fn text(&mut self, source_words: &[u32]) -> Vec<u32> {
        let mut word = |_| match self.rng.random_bool(1.0 / 3.0) {
            true => source_words.choose(&mut self.rng).copied().unwrap_or(0),
            false => zipf(&mut self.rng),
        };
        (0..WORDS_PER_CHUNK).map(&mut word).collect()
    }

    fn question(&mut self, vector: &[f32], text: &[u32]) -> Question {
        let mut words: Vec<u32> = text.sample(&mut self.rng, 4).copied().collect();
        words.extend([zipf(&mut self.rng), zipf(&mut self.rng)]);
        let moved = sum([0.8, 0.6, 0.0, 0.0], [vector, &direction(&mut self.rng), vector, vector]);
        Question { vector: moved, words: words.iter().map(|word| format!("w{word} ")).collect() }
    }
}

/// A word by the approximate inverse of the distribution function: rank r has the probability 1 / (r + 20),
/// scaled.
fn zipf(rng: &mut StdRng) -> u32 {
    let (first, all) = (20.0_f64, f64::from(VOCABULARY));
    let rank = first * ((all + first) / first).powf(rng.random::<f64>()) - first;
    rank as u32
}

/// A random unit vector.
fn direction(rng: &mut StdRng) -> Vec<f32> {
    // The sum of four uniform numbers is close enough to a normal one.
    let mut normal = || (0..4).map(|_| rng.random::<f32>() - 0.5).sum::<f32>();
    unit((0..DIMENSIONS).map(|_| normal()).collect())
}

fn sum(weights: [f32; 4], vectors: [&[f32]; 4]) -> Vec<f32> {
    let [a, b, c, d] = vectors;
    let components = a.iter().zip(b).zip(c).zip(d);
    let [p, q, r, s] = weights;
    unit(components.map(|(((a, b), c), d)| p * a + q * b + r * c + s * d).collect())
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

async fn add_source(
    db: &mut PgConnection,
    tenant: Uuid,
    bot: Uuid,
    source: Uuid,
    chunks: usize,
) -> anyhow::Result<()> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "insert into source (id, tenant_id, bot_id, name, source_type, status, live_version, live_chunks, content_hash)
         values ('{source}', '{tenant}', '{bot}', 'Made', 'text', 'ready', 1, 0, '{source}');
         insert into source_version (source_id, version, tenant_id, content, chunk_count)
         values ('{source}', 1, '{tenant}', '', {chunks})"
    )))
    .execute(db)
    .await?;
    Ok(())
}

async fn write(
    db: &mut PgConnection,
    tenant: Uuid,
    bot: Uuid,
    model: &str,
    rows: &Rows,
) -> anyhow::Result<()> {
    sqlx::query(
        "with made as (
            select * from unnest($4::uuid[], $5::uuid[], $6::integer[], $7::text[], $8::halfvec[])
                as made (id, source, ordinal, content, embedding)
        ),
        shown as (
            insert into chunk (id, tenant_id, bot_id, source_id, version, ordinal, content, start_at, end_at,
                token_count, hash)
            select id, $1, $2, source, 1, ordinal, content, 0, 0, 200, uuid_send(id) from made
        ),
        worded as (
            insert into chunk_text (chunk_id, tenant_id, bot_id, source_id, version, tsv, text_search)
            select id, $1, $2, source, 1, array_to_tsvector(string_to_array(trim(content), ' ')), 'english' from made
        ),
        searched as (
            insert into bot_index (bot_id, tenant_id, model) values ($2, $1, $3) on conflict do nothing
        )
        insert into chunk_vector (chunk_id, model, tenant_id, bot_id, source_id, version, embedding)
        select id, $3, $1, $2, source, 1, embedding from made",
    )
    .bind(tenant)
    .bind(bot)
    .bind(model)
    .bind(&rows.ids)
    .bind(&rows.sources)
    .bind(&rows.ordinals)
    .bind(&rows.contents)
    .bind(&rows.vectors)
    .execute(db)
    .await?;
    Ok(())
}
