//! Time from the upload of a small file until its source is ready.

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
    // The first upload is a warm-up.
    for number in 0..=FILES {
        let document = writer.document(number, BYTES);
        let started = Instant::now();
        let source = client.upload(&bot, &document).await?;
        let responded = started.elapsed().as_secs_f64();
        let count = client.ready(&source).await?;
        if number > 0 {
            took.push((started.elapsed().as_secs_f64(), responded));
            chunks.push(count as f64);
        }
    }
    server.stop()?;
    let ready: Samples = took.iter().map(|(ready, _)| *ready).collect();
    let responded: Samples = took.iter().map(|(_, responded)| responded * 1000.0).collect();
    let chunks: Samples = chunks.into_iter().collect();
    Ok(vec![
        Row::at_most(GOAL, "upload of 10 KB until ready: median", ready.median(), "s", ready.len()),
        Row::at_most(GOAL, "upload of 10 KB until ready: p95", ready.p95(), "s", ready.len()),
        Row::plain("upload of 10 KB: response to the upload", responded.median(), "ms", responded.len()),
        Row::plain("upload of 10 KB: chunks", chunks.median(), "chunks", chunks.len()),
    ])
}
