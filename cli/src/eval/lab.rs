//! A private installation that knows a folder of documents a bot, and is thrown away after.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use parlance_core::bots::{self, Bot, NewBot, RawBot};
use parlance_core::config::Config;
use parlance_core::ids::TenantId;
use parlance_core::knowledge::{self, File, Filter, Status};
use parlance_core::tenants::{self, Plan};
use parlance_core::{Context, Providers, db};
use parlance_embedded::{Options, Servers};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{local, up};

/// The pause between two looks at sources that are waited for.
const LOOK: Duration = Duration::from_millis(100);

/// The installation.
pub(crate) struct Lab {
    pub(crate) ctx: Context,
    pub(crate) tenant: TenantId,
    servers: Servers,
    workers: JoinHandle<()>,
    stop: CancellationToken,
    _files: TempDir,
}

impl Lab {
    /// Starts one with the model and the sizes that are configured; servers that are configured are left alone.
    pub(crate) async fn start(mut config: Config) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let data_dir = local::make_folders(folder.path())?;
        (config.database.url, config.redis.url, config.storage.url) = (None, None, None);
        let options = Options { ephemeral: true, ..up::wanted(&config, &data_dir) };
        let servers = Servers::start(options).await?;
        up::fill_in(&mut config, &servers, &data_dir)?;
        let providers = Providers::from_config(&config).await?;
        let ctx = Context::new(config, providers)?;
        db::migrate(ctx.db()).await?;
        let tenant = tenants::create(&ctx, "Evaluation", Plan::Enterprise).await?.id;
        let stop = CancellationToken::new();
        let queues = parlance_workers::all_queues(&ctx);
        let workers = tokio::spawn(parlance_workers::run(ctx.clone(), queues, stop.clone()));
        Ok(Self { ctx, tenant, servers, workers, stop, _files: folder })
    }

    /// Makes a bot of every folder that is named, in its language, and waits until all answer.
    pub(crate) async fn teach(
        &self,
        corpus: &Path,
        languages: &BTreeMap<&str, &str>,
    ) -> anyhow::Result<BTreeMap<String, Bot>> {
        let mut taught = BTreeMap::new();
        for (name, language) in languages {
            let folder = corpus.join(name);
            let bot = NewBot::parse(RawBot {
                name: Some((*name).to_owned()),
                channel_type: Some("api".to_owned()),
                language: Some((*language).to_owned()),
                ..RawBot::default()
            })?;
            let bot = bots::create(&self.ctx, self.tenant, &bot).await?;
            let entries = std::fs::read_dir(&folder)
                .with_context(|| format!("{} has no documents to read", folder.display()))?;
            for entry in entries {
                let path = entry?.path();
                let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
                let file = File { name: name.to_owned(), bytes: Bytes::from(std::fs::read(&path)?) };
                knowledge::upload(&self.ctx, self.tenant, bot.id, file).await?;
            }
            taught.insert((*name).to_owned(), bot);
        }
        self.settle().await?;
        Ok(taught)
    }

    async fn settle(&self) -> anyhow::Result<()> {
        loop {
            let sources = super::sources(&self.ctx, self.tenant, Filter::default()).await?;
            if let Some(failed) = sources.iter().find(|source| source.status == Status::Failed) {
                bail!("{}: {}", failed.name, failed.error_message.as_deref().unwrap_or("it failed"));
            }
            if sources.iter().all(|source| source.status == Status::Ready) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Stops everything.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.workers.await?;
        self.ctx.close().await;
        self.servers.stop().await?;
        Ok(())
    }
}
