//! The time from the start of the process until the API answers, on an empty data folder and on a
//! used one. The parts are in the cache.

use std::time::Duration;

use crate::report::Row;
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server};

const ROUNDS: usize = 5;

/// In seconds, on an empty data folder.
const EMPTY_GOAL: f64 = 8.0;

/// In seconds, on a used data folder.
const USED_GOAL: f64 = 3.0;

/// The demo bot learns its documents, as it would at a user's.
const LEARNING: Duration = Duration::from_secs(5);

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let (mut empty, mut used) = (Vec::new(), Vec::new());
    for _round in 0..ROUNDS {
        let folder = DataFolder::new()?;
        let (server, took) = Server::start(&folder, Demo::With).await?;
        empty.push(took.as_secs_f64());
        tokio::time::sleep(LEARNING).await;
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
