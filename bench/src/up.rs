//! Time from the start of the process until the API responds.
//!
//! Once with an empty and once with a used data folder. The parts are cached.

use std::time::Duration;

use crate::report::Row;
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server};

const ROUNDS: usize = 5;

/// In seconds, on an empty data folder.
const EMPTY_GOAL: f64 = 8.0;

/// In seconds, on a used data folder.
const USED_GOAL: f64 = 3.0;

/// Time for the ingestion of the demo bot's documents, as on a user's first start.
const DEMO_INGESTION: Duration = Duration::from_secs(5);

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let (mut empty, mut used) = (Vec::new(), Vec::new());
    for _round in 0..ROUNDS {
        let folder = DataFolder::new()?;
        let (server, took) = Server::start(&folder, Demo::With).await?;
        empty.push(took.as_secs_f64());
        tokio::time::sleep(DEMO_INGESTION).await;
        server.stop()?;
        let (server, took) = Server::start(&folder, Demo::With).await?;
        used.push(took.as_secs_f64());
        server.stop()?;
    }
    let (empty, used): (Samples, Samples) = (empty.into_iter().collect(), used.into_iter().collect());
    Ok(vec![
        Row::at_most(EMPTY_GOAL, "up, empty folder: median", empty.median(), "s", empty.len()),
        Row::plain("up, empty folder: slowest", empty.max(), "s", empty.len()),
        Row::at_most(USED_GOAL, "up, used folder: median", used.median(), "s", used.len()),
        Row::plain("up, used folder: slowest", used.max(), "s", used.len()),
    ])
}
