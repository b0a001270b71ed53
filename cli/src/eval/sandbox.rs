//! A private installation for one evaluation, removed afterwards.

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

use super::passages;
use super::suite::{BotSpec, Document};
use crate::{data_dir, private_servers};

/// Polling interval while sources are ingested.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The installation: servers, workers and one tenant.
pub(crate) struct Sandbox {
    pub(crate) ctx: Context,
    pub(crate) tenant: TenantId,
    servers: Servers,
    workers: JoinHandle<()>,
    stop: CancellationToken,
    _files: TempDir,
}

impl Sandbox {
    /// Starts private servers with the configured model and chunk sizes. Configured servers are not used.
    pub(crate) async fn start(mut config: Config) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let data_dir = data_dir::create(folder.path())?;
        (config.database.url, config.redis.url, config.storage.url) = (None, None, None);
        let options = Options { ephemeral: true, ..private_servers::missing_parts(&config, &data_dir) };
        let servers = Servers::start(options).await?;
        private_servers::configure(&mut config, &servers, &data_dir)?;
        let providers = Providers::from_config(&config).await?;
        let ctx = Context::new(config, providers)?;
        db::migrate(ctx.db()).await?;
        let tenant = tenants::create(&ctx, "Evaluation", Plan::Enterprise).await?.id;
        let stop = CancellationToken::new();
        let queues = parlance_workers::all_queues(&ctx);
        let workers = tokio::spawn(parlance_workers::run(ctx.clone(), queues, stop.clone()));
        Ok(Self { ctx, tenant, servers, workers, stop, _files: folder })
    }

    /// Creates the bots and waits until all of their documents are ingested.
    pub(crate) async fn create_bots(&self, specs: Vec<BotSpec>) -> anyhow::Result<BTreeMap<String, Bot>> {
        let mut created = BTreeMap::new();
        for spec in specs {
            let language = spec.language.parse()?;
            let bot = NewBot { language, ..NewBot::new(spec.name.parse()?, Channel::Api) };
            let bot = bots::create(&self.ctx, self.tenant, &bot).await?;
            for Document { name, bytes } in spec.documents {
                knowledge::upload(&self.ctx, self.tenant, bot.id, File { name, bytes }).await?;
            }
            created.insert(spec.name, bot);
        }
        self.wait_until_ready().await?;
        Ok(created)
    }

    /// Waits until every source is ready.
    async fn wait_until_ready(&self) -> anyhow::Result<()> {
        loop {
            let sources = passages::list_sources(&self.ctx, self.tenant, Filter::default()).await?;
            if let Some(failed) = sources.iter().find(|source| source.status == Status::Failed) {
                bail!("{}: {}", failed.name, failed.error_message.as_deref().unwrap_or("ingestion failed"));
            }
            if sources.iter().all(|source| source.status == Status::Ready) {
                return Ok(());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Stops the workers and servers.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.workers.await?;
        self.ctx.close().await;
        self.servers.stop().await?;
        Ok(())
    }
}
