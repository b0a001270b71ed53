//! The time from the upload of a small file until the bot answers from it.

use std::time::Instant;

use crate::corpus::Writer;
use crate::report::Row;
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server};

const FILES: usize = 20;
const BYTES: usize = 10 * 1024;

/// In seconds.
const GOAL: f64 = 1.5;

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let (server, _) = Server::start(&folder, Demo::Without).await?;
    let (client, mut writer) = (&server.client, Writer::new(10));
    let bot = client.bot().await?;
    let mut took = Vec::new();
    let mut chunks = Vec::new();
    // The first one warms up, as the first minute of any day does.
    for number in 0..=FILES {
        let document = writer.document(number, BYTES);
        let begun = Instant::now();
        let source = client.upload(&bot, &document).await?;
        let answered = begun.elapsed().as_secs_f64();
        let made = client.ready(&source).await?;
        if number > 0 {
            took.push((begun.elapsed().as_secs_f64(), answered));
            chunks.push(made as f64);
        }
    }
    server.stop()?;
    let ready: Samples = took.iter().map(|(ready, _)| *ready).collect();
    let answered: Samples = took.iter().map(|(_, answered)| answered * 1000.0).collect();
    let chunks: Samples = chunks.into_iter().collect();
    Ok(vec![
        Row::at_most(GOAL, "upload of 10 KB until ready: median", ready.median(), "s", ready.len()),
        Row::at_most(GOAL, "upload of 10 KB until ready: p95", ready.p95(), "s", ready.len()),
        Row::plain("upload of 10 KB: the answer to the upload", answered.median(), "ms", answered.len()),
        Row::plain("upload of 10 KB: chunks", chunks.median(), "chunks", chunks.len()),
    ])
}
