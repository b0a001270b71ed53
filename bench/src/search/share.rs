//! The server's share of an answer's latency.
//!
//! Excludes the embedding of the question and the model's writing.

use std::time::Instant;

use anyhow::Context as _;

use super::{GOAL_CHUNKS, MeasuredBot};
use crate::client::Client;
use crate::report::Row;
use crate::samples::Samples;

/// Goals in milliseconds.
const MAX_MEDIAN: f64 = 5.0;
const MAX_P99: f64 = 20.0;
const MAX_EMBED_MEDIAN: f64 = 15.0;

pub(super) async fn measure(client: &Client, bot: &MeasuredBot) -> anyhow::Result<Vec<Row>> {
    let (mut shares, mut embeds, mut searches) = (Vec::new(), Vec::new(), Vec::new());
    for (number, question) in bot.questions.iter().enumerate() {
        let session = format!("share-{}-{}", bot.chunks, number / 5);
        let started = Instant::now();
        let answer = client.ask(&bot.bot.id.to_string(), &session, &question.words).await?;
        let took = started.elapsed().as_secs_f64() * 1_000.0;
        let part =
            |name: &str| answer["timings_ms"][name].as_f64().with_context(|| format!("no timings_ms.{name}"));
        // For the built-in answer `first_token` is the embedding of its sentences, in place of a model's
        // writing.
        shares.push(took - part("embed")? - part("first_token")?);
        embeds.push(part("embed")?);
        searches.push(part("search")?);
    }
    let samples = |values: Vec<f64>| values.into_iter().collect::<Samples>();
    let (shares, embeds, searches) = (samples(shares), samples(embeds), samples(searches));
    let name = format!("answer, {} chunks: beside the models", bot.chunks);
    let count = shares.len();
    let has_goal = bot.chunks == GOAL_CHUNKS;
    let row = |goal, name: String, value| match has_goal {
        true => Row::at_most(goal, name, value, "ms", count),
        false => Row::plain(name, value, "ms", count),
    };
    Ok(vec![
        row(MAX_MEDIAN, format!("{name}, median"), shares.median()),
        row(MAX_P99, format!("{name}, p99"), shares.p99()),
        Row::plain(format!("{name}: search, median"), searches.median(), "ms", count),
        row(
            MAX_EMBED_MEDIAN,
            format!("answer, {} chunks: embedding of the question, median", bot.chunks),
            embeds.median(),
        ),
    ])
}
