//! What is to be done, and who does it.

use std::collections::BTreeSet;

use parlance_core::error::Chain;
use parlance_core::jobs::{self, Kind, State, fleet};
use parlance_core::platform::config::Config;
use parlance_core::providers::extract::Extractor;
use parlance_core::{Context, Providers};
use parlance_extract::protocol::Request;
use tokio_util::sync::CancellationToken;

use super::Finding;

/// A job that has waited for longer than this, in seconds, waits too long.
const LONG: f64 = 600.0;

/// The child that reads files: whether its limits can be set here.
pub(super) async fn reader() -> Finding {
    let request = Request { name: Some("doctor.md".to_owned()), ..Request::default() };
    let read = async {
        Extractor::new(None)?.extract(&request, "# It works\n".into(), &CancellationToken::new()).await
    };
    match read.await {
        Ok(_) => Finding::Good("a file is read in a process of its own".to_owned()),
        Err(error) => Finding::Bad(
            Chain(&error).to_string(),
            "the process that reads files must be able to start and to limit itself (setrlimit): see the container's limits",
        ),
    }
}

/// The ledger, when the database is there and has one.
pub(super) async fn ledger(config: &Config) -> Vec<(&'static str, Finding)> {
    if config.database.url.is_none() || config.redis.url.is_none() {
        return Vec::new();
    }
    let asked = async {
        let ctx = Context::new(config.clone(), Providers::absent())?;
        let workers = fleet::list(&ctx).await?;
        let (jobs, oldest) = (jobs::count_by_state(&ctx).await?, jobs::oldest_waiting(&ctx).await?);
        Ok::<_, parlance_core::Error>((workers, jobs, oldest))
    };
    // Why it does not answer was said above.
    let Ok((workers, jobs, oldest)) = asked.await else { return Vec::new() };
    vec![("workers", taken(&workers, &jobs)), ("jobs", waiting(&jobs, &oldest)), ("dead", dead(&jobs))]
}

/// Whether each queue has a worker.
fn taken(workers: &[fleet::Worker], jobs: &[(Kind, State, i64)]) -> Finding {
    let taken: BTreeSet<Kind> = workers.iter().flat_map(|worker| worker.queues.keys().copied()).collect();
    let untaken: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| !taken.contains(kind)).collect();
    let names = |kinds: &[Kind]| kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    let stuck: Vec<Kind> = untaken
        .iter()
        .copied()
        .filter(|kind| jobs.iter().any(|(of, state, _)| of == kind && is_due(*state)))
        .collect();
    if !stuck.is_empty() {
        Finding::Bad(format!("no worker takes {}, where jobs wait", names(&stuck)), "start `parlance worker`")
    } else if untaken.is_empty() {
        Finding::Good(format!("{} live, and take every queue", workers.len()))
    } else {
        Finding::Note(format!("{} live; none takes {}", workers.len(), names(&untaken)))
    }
}

fn waiting(jobs: &[(Kind, State, i64)], oldest: &[(Kind, f64)]) -> Finding {
    let waiting: i64 = jobs.iter().filter(|(_, state, _)| is_due(*state)).map(|(_, _, count)| count).sum();
    match oldest.iter().max_by(|(_, a), (_, b)| a.total_cmp(b)) {
        Some((kind, seconds)) if *seconds > LONG => Finding::Bad(
            format!("{waiting} wait; the oldest ({}) for {:.0} minutes", kind.as_str(), seconds / 60.0),
            "start more workers of that queue (`parlance worker --queues`), or raise WORKER_CONCURRENCY",
        ),
        Some((kind, seconds)) => {
            Finding::Good(format!("{waiting} wait; the oldest ({}) for {seconds:.0} s", kind.as_str()))
        }
        None => Finding::Good(format!("{waiting} wait")),
    }
}

fn dead(jobs: &[(Kind, State, i64)]) -> Finding {
    match jobs.iter().filter(|(_, state, _)| *state == State::Failed).map(|(_, _, count)| count).sum::<i64>()
    {
        0 => Finding::Good("no job has failed for good".to_owned()),
        dead => Finding::Note(format!(
            "{dead} jobs have failed for good: `parlance job list --state failed`, and `parlance job retry` when their cause is mended"
        )),
    }
}

fn is_due(state: State) -> bool {
    matches!(state, State::Queued | State::Dispatched)
}
