//! A private installation with bots of its own, removed after the evaluation.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::bail;
use parlance_core::bots::{self, Bot, Channel, NewBot};
use parlance_core::ids::TenantId;
use parlance_core::knowledge::{self, File, Filter, Status};
use parlance_core::platform::config::Config;
use parlance_core::platform::db;
use parlance_core::tenants::{self, Plan};
use parlance_core::{Context, Providers};
use parlance_embedded::{Options, Servers};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::exam::{Document, Lesson};
use super::places;
use crate::{local, up};

/// Pause between two looks at sources that are not ready.
const LOOK: Duration = Duration::from_millis(250);

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

    /// Makes a bot of every lesson, and waits until all answer.
    pub(crate) async fn teach(&self, lessons: Vec<Lesson>) -> anyhow::Result<BTreeMap<String, Bot>> {
        let mut taught = BTreeMap::new();
        for lesson in lessons {
            let language = lesson.language.parse()?;
            let bot = NewBot { language, ..NewBot::new(lesson.name.parse()?, Channel::Api) };
            let bot = bots::create(&self.ctx, self.tenant, &bot).await?;
            for Document { name, bytes } in lesson.documents {
                knowledge::upload(&self.ctx, self.tenant, bot.id, File { name, bytes }).await?;
            }
            taught.insert(lesson.name, bot);
        }
        self.settle().await?;
        Ok(taught)
    }

    /// Waits until every source is ready.
    async fn settle(&self) -> anyhow::Result<()> {
        loop {
            let sources = places::sources(&self.ctx, self.tenant, Filter::default()).await?;
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
