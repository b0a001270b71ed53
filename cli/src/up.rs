//! `parlance up`: everything in one process, on this machine, from nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use parlance_api::ShutdownTimes;
use parlance_core::knowledge::reembed;
use parlance_core::platform::config::{Config, Embedding};
use parlance_core::platform::db::{self, Db};
use parlance_core::providers::embed;
use parlance_core::{Context, Providers};
use parlance_embedded::{Options, Servers, default_cache_dir};
use secrecy::ExposeSecret;
use url::Url;

use crate::args::Up;
use crate::demo::{self, Owner};
use crate::local::{self, UpFile};
use crate::{models, out, roles};

pub(crate) async fn run(mut config: Config, data_dir: &Path, args: &Up) -> anyhow::Result<()> {
    let begun = Instant::now();
    roles::stay_unread()?;
    let stop = roles::stop_on_signal()?;
    if let Some(port) = args.port {
        config.http.bind.set_port(port);
    }
    // First, for a taken port is found out before anything is fetched or started.
    let listener = roles::listen(config.http.bind).await?;
    let data_dir = local::make_folders(data_dir)?;

    let servers = tokio::select! {
        servers = Servers::start(wanted(&config, &data_dir)) => servers?,
        () = stop.cancelled() => return Ok(()),
    };
    // One that was killed left its file.
    UpFile::remove(&data_dir);
    fill_in(&mut config, &servers, &data_dir)?;
    models::resolve(&mut config).await?;
    let public = config.http.public_url.clone();
    let mut providers = Providers::from_config(&config).await?;
    let database = Db::new(&config.database)?;
    db::migrate(&database).await?;
    change_over(&database, &config, &mut providers).await?;
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
    let ending = ShutdownTimes { announce: Duration::ZERO, drain: roles::DRAIN };
    let api = tokio::spawn(parlance_api::serve(ctx.clone(), listener, stop.clone(), ending));
    greet(&url, &owner, begun);

    let served = api.await;
    // The API ends when it is told to, or when it cannot go on.
    stop.cancel();
    workers.await?;
    UpFile::remove(&data_dir);
    ctx.close().await;
    servers.stop().await?;
    Ok(served??)
}

/// The private parts that the configuration does not name.
pub(crate) fn wanted(config: &Config, data_dir: &Path) -> Options {
    Options {
        data_dir: data_dir.to_owned(),
        cache_dir: config.cache_dir.clone().unwrap_or_else(default_cache_dir),
        postgres: config.database.url.is_none(),
        redis: config.redis.url.is_none(),
        model: models::embedded(&config.embedding).map(|model| (model, models::PRECISION)),
        onnxruntime: config.embedding.ort_dylib.is_none(),
        ephemeral: false,
    }
}

/// Names in the configuration what was started.
pub(crate) fn fill_in(config: &mut Config, servers: &Servers, data_dir: &Path) -> anyhow::Result<()> {
    if let Some(url) = servers.database_url() {
        config.database.url = Some(url.to_owned().into());
    }
    if let Some(url) = servers.redis_url() {
        config.redis.url = Some(url.to_owned().into());
    }
    if config.storage.url.is_none() {
        let files = Url::from_directory_path(data_dir.join("files"));
        config.storage.url =
            Some(files.map_err(|()| anyhow::anyhow!("the data folder has no absolute path"))?);
    }
    if let Some(library) = servers.onnxruntime() {
        config.embedding.ort_dylib = Some(library.to_owned());
    }
    if let Some(model) = servers.model_dir() {
        (config.embedding.model, config.embedding.model_dir) = (None, Some(model.to_owned()));
    }
    Ok(())
}

/// Tells of the bots whose vectors are of another model, which workers replace in the background. Until
/// then questions to them are embedded by the old model, if it is one of ours and still in the cache.
async fn change_over(database: &Db, config: &Config, providers: &mut Providers) -> anyhow::Result<()> {
    let model = providers.embedder.id().to_owned();
    let cache_dir = config.cache_dir.clone().unwrap_or_else(default_cache_dir);
    for (old, bots) in reembed::count_old_models(database, &model).await? {
        if providers.embedder_before.is_none()
            && let Some(folder) = models::kept(&cache_dir, &old)
        {
            let before = Embedding {
                model: None,
                model_dir: Some(folder),
                model_before: None,
                ..config.embedding.clone()
            };
            providers.embedder_before = Some(embed::from_config(&before, None).await?);
        }
        let is_known = providers.embedder_before.as_ref().is_some_and(|before| before.id() == old);
        let search = if is_known { "by the old model" } else { "by words alone" };
        let bots = if bots == 1 { "1 bot changes".to_owned() } else { format!("{bots} bots change") };
        out(&format!(
            "{bots} over from {old} to {model} in the background; each is searched {search} until it has."
        ));
    }
    Ok(())
}

fn up_file(ctx: &Context, owner: &Owner, url: &str) -> anyhow::Result<UpFile> {
    let config = ctx.config();
    let exposed =
        |url: &Option<secrecy::SecretString>| url.as_ref().map(|url| url.expose_secret().to_owned());
    Ok(UpFile {
        url: url.to_owned(),
        api_key: owner.key.expose().to_owned(),
        tenant_id: owner.tenant,
        database_url: exposed(&config.database.url).context("no database")?,
        redis_url: exposed(&config.redis.url).context("no redis")?,
        pid: std::process::id(),
    })
}

fn greet(url: &str, owner: &Owner, begun: Instant) {
    let key = owner.key.expose();
    out(&format!(
        "\nParlance is up ({seconds:.1} s).\n\n  Docs     {url}/docs\n  API      {url}/api/v1\n  API key  {key}\n\n\
         Ask the demo bot:\n\n  curl -s {url}/api/v1/conversations/hello/messages \\\n    -H 'X-API-Key: {key}' \
         -H 'Content-Type: application/json' \\\n    -d '{{\"message\": \"How do I add more workers?\"}}'\n",
        seconds = begun.elapsed().as_secs_f64(),
    ));
}
