//! Checks of the workers and the job queue.

use std::collections::BTreeSet;

use parlance_core::error::Chain;
use parlance_core::ids::TenantId;
use parlance_core::jobs::{self, Kind, State, fleet};
use parlance_core::platform::config::Config;
use parlance_core::providers::extract::Extractor;
use parlance_core::providers::web;
use parlance_core::{Context, Providers};
use parlance_extract::protocol::Request;
use tokio_util::sync::CancellationToken;

use super::Finding;

/// Longest acceptable wait of a job, in seconds.
const MAX_WAIT: f64 = 600.0;

/// Whether the file-reading child process can start and limit itself.
pub(super) async fn extraction() -> Finding {
    let request = Request { name: Some("doctor.md".to_owned()), ..Request::default() };
    let extraction = async {
        let (extractor, stop) = (Extractor::new(None, None)?, CancellationToken::new());
        extractor.extract(TenantId::fresh(), &request, "# It works\n".into(), &stop).await
    };
    match extraction.await {
        Ok(_) => Finding::Good("files are read in a separate process".to_owned()),
        Err(error) => Finding::Bad(
            Chain(&error).to_string(),
            "the file-reading process must be able to start and to set its own limits (setrlimit): check the container's limits",
        ),
    }
}

/// Whether pages made by scripts can be read.
pub(super) async fn browser(config: &Config) -> Finding {
    match web::check_browser(&config.scrape).await {
        Ok(Some(address)) => Finding::Good(format!("pages made by scripts are read in {address}")),
        Ok(None) => Finding::Note("SCRAPE_BROWSER is not set: pages made by scripts are not read".to_owned()),
        Err(error) => Finding::Bad(
            Chain(&error).to_string(),
            "check SCRAPE_BROWSER, and that this build has the feature `browser` (docs/operations.md)",
        ),
    }
}

/// Whether scanned pages are read, and in which languages.
pub(super) async fn recognition(config: &Config) -> Finding {
    let tesseract = config.extract.tesseract.as_deref();
    let languages = async { Extractor::new(None, tesseract)?.recognised_languages().await };
    match languages.await {
        Ok(Some(languages)) => {
            Finding::Good(format!("Tesseract reads scanned pages in {}", languages.join(", ")))
        }
        Ok(None) => Finding::Note("scanned pages are not read: Tesseract is not installed or off".to_owned()),
        Err(error) => Finding::Bad(
            Chain(&error).to_string(),
            "install Tesseract with its language data (Debian: tesseract-ocr, tesseract-ocr-deu, …), or set TESSERACT=off",
        ),
    }
}

/// Worker and job checks. Empty without database and Redis.
pub(super) async fn ledger(config: &Config) -> Vec<(&'static str, Finding)> {
    if config.database.url.is_none() || config.redis.url.is_none() {
        return Vec::new();
    }
    let queries = async {
        let ctx = Context::new(config.clone(), Providers::absent())?;
        let workers = fleet::list(&ctx).await?;
        let (jobs, oldest) = (jobs::count_by_state(&ctx).await?, jobs::oldest_waiting(&ctx).await?);
        Ok::<_, parlance_core::Error>((workers, jobs, oldest))
    };
    // The `postgres` check has already reported the cause.
    let Ok((workers, jobs, oldest)) = queries.await else { return Vec::new() };
    vec![
        ("workers", queue_coverage(&workers, &jobs)),
        ("jobs", waiting(&jobs, &oldest)),
        ("dead", dead_letters(&jobs)),
    ]
}

/// Whether each queue has a worker.
fn queue_coverage(workers: &[fleet::Worker], jobs: &[(Kind, State, i64)]) -> Finding {
    let covered: BTreeSet<Kind> = workers.iter().flat_map(|worker| worker.queues.keys().copied()).collect();
    let uncovered: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| !covered.contains(kind)).collect();
    let names = |kinds: &[Kind]| kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    let stuck: Vec<Kind> = uncovered
        .iter()
        .copied()
        .filter(|kind| jobs.iter().any(|(queue, state, _)| queue == kind && is_due(*state)))
        .collect();
    if !stuck.is_empty() {
        Finding::Bad(
            format!("no worker serves {}, where jobs wait", names(&stuck)),
            "start `parlance worker`",
        )
    } else if uncovered.is_empty() {
        Finding::Good(format!("{} live; every queue is served", workers.len()))
    } else {
        Finding::Note(format!("{} live; none serves {}", workers.len(), names(&uncovered)))
    }
}

fn waiting(jobs: &[(Kind, State, i64)], oldest: &[(Kind, f64)]) -> Finding {
    let waiting: i64 = jobs.iter().filter(|(_, state, _)| is_due(*state)).map(|(_, _, count)| count).sum();
    match oldest.iter().max_by(|(_, a), (_, b)| a.total_cmp(b)) {
        Some((kind, seconds)) if *seconds > MAX_WAIT => Finding::Bad(
            format!("{waiting} waiting; the oldest ({}) for {:.0} minutes", kind.as_str(), seconds / 60.0),
            "start more workers for that queue (`parlance worker --queues`), or raise WORKER_CONCURRENCY",
        ),
        Some((kind, seconds)) => {
            Finding::Good(format!("{waiting} waiting; the oldest ({}) for {seconds:.0} s", kind.as_str()))
        }
        None => Finding::Good(format!("{waiting} waiting")),
    }
}

fn dead_letters(jobs: &[(Kind, State, i64)]) -> Finding {
    match jobs.iter().filter(|(_, state, _)| *state == State::Failed).map(|(_, _, count)| count).sum::<i64>()
    {
        0 => Finding::Good("no dead letters".to_owned()),
        dead => Finding::Note(format!(
            "{dead} dead letters: list them with `parlance job list --state failed`, retry with `parlance job retry` once the cause is fixed"
        )),
    }
}

fn is_due(state: State) -> bool {
    matches!(state, State::Queued | State::Dispatched)
}
