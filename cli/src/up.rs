//! `parlance up`: a complete installation in one process, including its servers.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use parlance_api::ShutdownTimes;
use parlance_core::knowledge::reembed;
use parlance_core::platform::config::{Config, Embedding};
use parlance_core::platform::db::{self, Db};
use parlance_core::providers::embed;
use parlance_core::{Context, Providers};
use parlance_embedded::{Servers, default_cache_dir};
use secrecy::ExposeSecret;

use crate::args::Up;
use crate::data_dir::{self, UpFile};
use crate::demo::{self, Owner};
use crate::output::out;
use crate::{models, private_servers, process};

pub(crate) async fn run(mut config: Config, data_dir: &Path, args: &Up) -> anyhow::Result<()> {
    let started = Instant::now();
    process::deny_memory_access()?;
    let stop = process::stop_on_signal()?;
    if let Some(port) = args.port {
        config.http.bind.set_port(port);
    }
    // First, so that a taken port is reported before anything is downloaded or started.
    let listener = process::listen(config.http.bind).await?;
    let data_dir = data_dir::create(data_dir)?;

    let servers = tokio::select! {
        servers = Servers::start(private_servers::missing_parts(&config, &data_dir)) => servers?,
        () = stop.cancelled() => return Ok(()),
    };
    // A killed `up` leaves its file behind.
    UpFile::remove(&data_dir);
    private_servers::configure(&mut config, &servers, &data_dir)?;
    models::resolve(&mut config).await?;
    let public = config.http.public_url.clone();
    let mut providers = Providers::from_config(&config).await?;
    let database = Db::new(&config.database)?;
    db::require_sessions(&database).await?;
    db::migrate(&database).await?;
    prepare_reembedding(&database, &config, &mut providers).await?;
    database.close().await;
    let ctx = Context::new(config, providers)?;

    let owner = demo::owner(&ctx, &data_dir, !args.no_demo).await?;
    let url = public.map_or_else(
        || listener.local_addr().map(|address| format!("http://{address}")),
        |url| Ok(url.as_str().trim_end_matches('/').to_owned()),
    )?;
    up_file(&ctx, &owner, &url)?.write(&data_dir)?;
    let workers =
        tokio::spawn(parlance_workers::run(ctx.clone(), parlance_workers::all_queues(&ctx), stop.clone()));
    let times = ShutdownTimes { announce: Duration::ZERO, drain: process::DRAIN };
    let api = tokio::spawn(parlance_api::serve(ctx.clone(), listener, stop.clone(), times));
    greet(&url, &owner, started);

    let served = api.await;
    // The API ends on a signal or on a fatal error.
    stop.cancel();
    workers.await?;
    UpFile::remove(&data_dir);
    ctx.close().await;
    servers.stop().await?;
    Ok(served??)
}

/// Reports bots whose vectors come from another model; workers re-embed them in the background. Until then their
/// questions use the old model, if it is an embedded model and still in the cache.
async fn prepare_reembedding(
    database: &Db,
    config: &Config,
    providers: &mut Providers,
) -> anyhow::Result<()> {
    let model = providers.embedder.id().to_owned();
    let cache_dir = config.cache_dir.clone().unwrap_or_else(default_cache_dir);
    for (old, bots) in reembed::count_old_models(database, &model).await? {
        if providers.embedder_before.is_none()
            && let Some(folder) = models::cached(&cache_dir, &old)
        {
            let before = Embedding {
                model: None,
                model_dir: Some(folder),
                model_before: None,
                ..config.embedding.clone()
            };
            providers.embedder_before = Some(embed::from_config(&before, None).await?);
        }
        let is_loaded = providers.embedder_before.as_ref().is_some_and(|before| before.id() == old);
        let search = if is_loaded { "the old model" } else { "full-text search only" };
        let bots = if bots == 1 { "1 bot".to_owned() } else { format!("{bots} bots") };
        out(&format!(
            "Re-embedding {bots} from {old} to {model} in the background; until then they use {search}."
        ));
    }
    Ok(())
}

fn up_file(ctx: &Context, owner: &Owner, url: &str) -> anyhow::Result<UpFile> {
    let config = ctx.config();
    let plain = |url: &Option<secrecy::SecretString>| url.as_ref().map(|url| url.expose_secret().to_owned());
    Ok(UpFile {
        url: url.to_owned(),
        api_key: owner.key.expose().to_owned(),
        tenant_id: owner.tenant,
        database_url: plain(&config.database.url).context("no database")?,
        redis_url: plain(&config.redis.url).context("no redis")?,
        pid: std::process::id(),
    })
}

fn greet(url: &str, owner: &Owner, started: Instant) {
    let key = owner.key.expose();
    out(&format!(
        "\nParlance is up ({seconds:.1} s).\n\n  Docs     {url}/docs\n  API      {url}/api/v1\n  API key  {key}\n\n\
         Ask the demo bot:\n\n  curl -s {url}/api/v1/conversations/hello/messages \\\n    -H 'X-API-Key: {key}' \
         -H 'Content-Type: application/json' \\\n    -d '{{\"message\": \"How do I add more workers?\"}}'\n",
        seconds = started.elapsed().as_secs_f64(),
    ));
}
