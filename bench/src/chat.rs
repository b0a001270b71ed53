//! Latency of answers of a bot with a thousand chunks, without a language model.

use std::time::Instant;

use anyhow::Context as _;
use serde_json::Value;

use crate::client::Client;
use crate::corpus::Writer;
use crate::report::Row;
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server};

/// Chunks per bot, here and in [`mod@crate::memory`].
pub(crate) const CHUNKS: u64 = 1_000;

/// Size of a document of the corpus.
pub(crate) const DOCUMENT_BYTES: usize = 100_000;

const QUESTIONS: usize = 200;
const WARM_UP: usize = 10;

/// Messages per conversation.
const CONVERSATION: usize = 5;

/// In milliseconds.
const GOAL: f64 = 60.0;

const PARTS: [&str; 4] = ["embed", "search", "first_token", "total"];

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let (server, _) = Server::start(&folder, Demo::Without).await?;
    let bot = server.client.bot().await?;
    let (chunks, questions) = fill(&server.client, &bot).await?;
    let answers = ask_all(&server.client, &bot, &questions).await?;
    server.stop()?;

    let round_trip: Samples = answers.iter().map(|(took, _)| *took).collect();
    let count = round_trip.len();
    let answered = answers.iter().filter(|(_, answer)| answer["answered"] == true).count();
    let mut rows = vec![
        Row::at_most(GOAL, format!("chat at {chunks} chunks: median"), round_trip.median(), "ms", count),
        Row::at_most(GOAL, format!("chat at {chunks} chunks: p95"), round_trip.p95(), "ms", count),
    ];
    for part in PARTS {
        let times: Option<Samples> =
            answers.iter().map(|(_, answer)| answer["timings_ms"][part].as_f64()).collect();
        let times = times.with_context(|| format!("an answer has no timings_ms.{part}"))?;
        rows.push(Row::plain(
            format!("chat, timings of the answer: {part}, median"),
            times.median(),
            "ms",
            count,
        ));
        rows.push(Row::plain(format!("chat, timings of the answer: {part}, p95"), times.p95(), "ms", count));
    }
    let share = 100.0 * answered as f64 / count as f64;
    rows.push(Row::plain("chat: answered questions", share, "%", count));
    Ok(rows)
}

/// Gives the bot at least [`CHUNKS`]. Returns their number and questions about them.
async fn fill(client: &Client, bot: &str) -> anyhow::Result<(u64, Vec<String>)> {
    let (mut writer, mut chunks, mut questions) = (Writer::new(20), 0, Vec::new());
    for number in 0.. {
        if chunks >= CHUNKS {
            break;
        }
        let document = writer.document(number, DOCUMENT_BYTES);
        let source = client.upload(bot, &document).await?;
        chunks += client.ready(&source).await?;
        questions.push(document.questions);
    }
    // Round-robin over the documents.
    let selected = (0..QUESTIONS + WARM_UP).filter_map(|index| {
        let document = questions.get(index % questions.len())?;
        document.get(index / questions.len() * 7 % document.len()).cloned()
    });
    Ok((chunks, selected.collect()))
}

/// Asks the questions one after the other. Returns the milliseconds and the response of each.
async fn ask_all(client: &Client, bot: &str, questions: &[String]) -> anyhow::Result<Vec<(f64, Value)>> {
    let mut answers = Vec::new();
    for (index, question) in questions.iter().enumerate() {
        let session = format!("bench-{}", index / CONVERSATION);
        let started = Instant::now();
        let answer = client.ask(bot, &session, question).await?;
        let took = started.elapsed().as_secs_f64() * 1000.0;
        if index >= WARM_UP {
            answers.push((took, answer));
        }
    }
    Ok(answers)
}
