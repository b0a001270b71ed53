//! Knowledge that nobody wrote, in any amount: vectors like those of texts, and words as frequent as words are.
//!
//! A vector is a direction that all share (what makes texts of one language alike), that of its topic (200 chunks),
//! that of its source (50 chunks) and its own, so that two of a source have a cosine of 0.7, of a topic 0.45, and others
//! 0.16. A question is a chunk that was moved until their cosine is 0.8. Words follow Zipf's law over 30,000; a third of a
//! chunk's are of its source.

use pgvector::HalfVector;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use sqlx::PgConnection;
use uuid::Uuid;

const DIMENSIONS: usize = 384;
const CHUNKS_A_SOURCE: usize = 50;
const SOURCES_A_TOPIC: usize = 4;
const WORDS_A_CHUNK: usize = 200;
const VOCABULARY: u32 = 30_000;
const WORDS_OF_A_SOURCE: usize = 80;

/// Shares of a vector: what all share, its topic, its source, its own.
const SHARES: [f32; 4] = [0.4, 0.55, 0.5, 0.55];

/// Rows that one statement writes.
const BATCH: usize = 1_000;

/// What can be asked of a bot.
pub(super) struct Question {
    pub(super) vector: Vec<f32>,
    /// Some rare words of a chunk, and some frequent ones.
    pub(super) words: String,
}

/// Makes chunks and questions; the same for the same seed.
pub(super) struct Maker {
    chance: StdRng,
    shared: Vec<f32>,
}

/// Chunks as columns.
#[derive(Default)]
struct Rows {
    ids: Vec<Uuid>,
    sources: Vec<Uuid>,
    ordinals: Vec<i32>,
    contents: Vec<String>,
    vectors: Vec<HalfVector>,
}

impl Maker {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let shared = direction(&mut chance);
        Self { chance, shared }
    }

    /// Gives a bot chunks, as if they had been ingested and embedded, but for their number in its sources; gives
    /// questions to some of them.
    pub(super) async fn fill(
        &mut self,
        db: &mut PgConnection,
        model: &str,
        (tenant, bot): (Uuid, Uuid),
        chunks: usize,
        questions: usize,
    ) -> anyhow::Result<Vec<Question>> {
        let (mut rows, mut asked) = (Rows::default(), Vec::new());
        let every = (chunks / questions.max(1)).max(1);
        let mut topic = direction(&mut self.chance);
        let mut made = 0;
        while made < chunks {
            if made.is_multiple_of(CHUNKS_A_SOURCE * SOURCES_A_TOPIC) {
                topic = direction(&mut self.chance);
            }
            let (source, own) = (Uuid::now_v7(), direction(&mut self.chance));
            let here = CHUNKS_A_SOURCE.min(chunks - made);
            add_source(db, tenant, bot, source, here).await?;
            let words: Vec<u32> =
                (0..WORDS_OF_A_SOURCE).map(|_| self.chance.random_range(0..VOCABULARY)).collect();
            for ordinal in 0..here {
                let vector = sum(SHARES, [&self.shared, &topic, &own, &direction(&mut self.chance)]);
                let text = self.text(&words);
                if (made + ordinal).is_multiple_of(every) && asked.len() < questions {
                    asked.push(self.question(&vector, &text));
                }
                rows.ids.push(Uuid::now_v7());
                rows.sources.push(source);
                rows.ordinals.push(i32::try_from(ordinal)?);
                rows.contents.push(text.iter().map(|word| format!("w{word} ")).collect());
                rows.vectors.push(HalfVector::from_f32_slice(&vector));
            }
            made += here;
            if rows.ids.len() >= BATCH || made == chunks {
                write(db, tenant, bot, model, &std::mem::take(&mut rows)).await?;
            }
        }
        Ok(asked)
    }

    fn text(&mut self, of_source: &[u32]) -> Vec<u32> {
        let mut word = |_| match self.chance.random_bool(1.0 / 3.0) {
            true => of_source.choose(&mut self.chance).copied().unwrap_or(0),
            false => zipf(&mut self.chance),
        };
        (0..WORDS_A_CHUNK).map(&mut word).collect()
    }

    fn question(&mut self, vector: &[f32], text: &[u32]) -> Question {
        let mut words: Vec<u32> = text.sample(&mut self.chance, 4).copied().collect();
        words.extend([zipf(&mut self.chance), zipf(&mut self.chance)]);
        let moved = sum([0.8, 0.6, 0.0, 0.0], [vector, &direction(&mut self.chance), vector, vector]);
        Question { vector: moved, words: words.iter().map(|word| format!("w{word} ")).collect() }
    }
}

/// By the inverse of its distribution function, near enough: the rank r has a share of 1 / (r + 20).
fn zipf(chance: &mut StdRng) -> u32 {
    let (first, all) = (20.0_f64, f64::from(VOCABULARY));
    let rank = first * ((all + first) / first).powf(chance.random::<f64>()) - first;
    rank as u32
}

/// A direction by chance, of unit length.
fn direction(chance: &mut StdRng) -> Vec<f32> {
    // The sum of four uniform numbers is near enough to normal.
    let mut normal = || (0..4).map(|_| chance.random::<f32>() - 0.5).sum::<f32>();
    unit((0..DIMENSIONS).map(|_| normal()).collect())
}

fn sum(shares: [f32; 4], of: [&[f32]; 4]) -> Vec<f32> {
    let [a, b, c, d] = of;
    let added = a.iter().zip(b).zip(c).zip(d);
    let [p, q, r, s] = shares;
    unit(added.map(|(((a, b), c), d)| p * a + q * b + r * c + s * d).collect())
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
