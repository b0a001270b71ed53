//! Operators' commands: the schema, tenants and keys.

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::Utc;
use parlance_core::ids::TenantId;
use parlance_core::maintenance::erase;
use parlance_core::platform::config::Config;
use parlance_core::platform::db;
use parlance_core::tenants::keys::{self, Key, KeyRequest};
use parlance_core::{Context, PageRequest, tenants};

use crate::args::{KeyCommand, TenantCommand};
use crate::local::operator_context;
use crate::out;

/// The pause between two looks at what is being removed.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) async fn migrate(config: Config, data_dir: &Path) -> anyhow::Result<()> {
    let ctx = operator_context(config, data_dir)?;
    db::migrate(ctx.db()).await?;
    out("The schema is up to date.");
    Ok(())
}

pub(crate) async fn tenant(config: Config, data_dir: &Path, command: TenantCommand) -> anyhow::Result<()> {
    let ctx = operator_context(config, data_dir)?;
    match command {
        TenantCommand::Create { name, plan } => {
            let tenant = tenants::create(&ctx, &name, plan).await?;
            let (_, raw) = keys::create(&ctx, tenant.id, &KeyRequest::full("default")?).await?;
            out(&format!("tenant   {}\nname     {}\nplan     {}", tenant.id, tenant.name, plan.as_str()));
            out(&format!("api key  {}\nKeep the key: it is not shown again.", raw.expose()));
        }
        TenantCommand::SetPlan { tenant, plan } => {
            let tenant = tenants::set_plan(&ctx, tenant, plan).await?;
            out(&format!("{} is on the plan {} now.", tenant.name, tenant.plan.as_str()));
        }
        TenantCommand::Deactivate { tenant } => {
            bus(&ctx).await;
            let tenant = tenants::set_active(&ctx, tenant, false).await?;
            out(&format!("The keys of {} open nothing any more.", tenant.name));
        }
        TenantCommand::Delete { tenant, name, timeout } => {
            delete(&ctx, tenant, &name, Duration::from_secs(timeout)).await?;
        }
        TenantCommand::Activate { tenant } => {
            bus(&ctx).await;
            let tenant = tenants::set_active(&ctx, tenant, true).await?;
            out(&format!("The keys of {} work again.", tenant.name));
        }
        TenantCommand::List => {
            for tenant in tenants::list(&ctx).await? {
                let state = if tenant.is_active { "active" } else { "inactive" };
                let made = tenant.created_at.format("%F");
                out(&format!(
                    "{}  {made}  {state:<8}  {:<12}  {}",
                    tenant.id,
                    tenant.plan.as_str(),
                    tenant.name
                ));
            }
        }
    }
    Ok(())
}

async fn delete(ctx: &Context, tenant: TenantId, name: &str, timeout: Duration) -> anyhow::Result<()> {
    let found = tenants::get(ctx, tenant).await?;
    anyhow::ensure!(
        found.name == name,
        "the tenant {tenant} is {:?}, not {name:?}: nothing was done",
        found.name
    );
    bus(ctx).await;
    erase::begin(ctx, tenant).await?;
    out(&format!("The keys of {name} open nothing any more. Its bots are being removed."));
    let (end, mut told) = (Instant::now() + timeout, None);
    while !erase::finish(ctx, tenant).await? {
        let left = erase::left(ctx, tenant).await?;
        if told != Some(left) {
            out(&format!("{left} bots are not removed yet."));
            told = Some(left);
        }
        anyhow::ensure!(
            Instant::now() < end,
            "something of {left} bots is left: does a worker take the queue `purge` (parlance worker list), and did a \
             job fail (parlance job list --state failed)? Run this again to go on."
        );
        tokio::time::sleep(LOOK).await;
    }
    let remains = erase::remains(ctx, tenant).await?;
    for (table, count) in remains.iter().filter(|(_, count)| *count > 0) {
        out(&format!("{count} rows remain in {table}"));
    }
    let rows: i64 = remains.iter().map(|(_, count)| count).sum();
    anyhow::ensure!(rows == 0, "{rows} rows of {name} remain");
    out(&format!(
        "Nothing of {name} remains: its files are removed, and none of {} tables names it.",
        remains.len()
    ));
    Ok(())
}

pub(crate) async fn key(config: Config, data_dir: &Path, command: KeyCommand) -> anyhow::Result<()> {
    let ctx = operator_context(config, data_dir)?;
    match command {
        KeyCommand::Create { tenant, name, scopes, expires } => {
            let request = KeyRequest { name, scopes: scopes.try_into()?, expires_at: expires };
            let (key, raw) = keys::create(&ctx, tenant, &request).await?;
            out(&format!(
                "key      {}\napi key  {}\nKeep the key: it is not shown again.",
                key.id,
                raw.expose()
            ));
        }
        KeyCommand::List { tenant } => {
            tenants::get(&ctx, tenant).await?;
            for key in every_key(&ctx, tenant).await? {
                let over = key.expires_at.is_some_and(|end| end <= Utc::now());
                let state = if over { "expired" } else { "active" };
                let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
                let made = key.created_at.format("%F");
                out(&format!(
                    "{}  {made}  {state:<7}  {}…  {}  {}",
                    key.id,
                    key.prefix,
                    scopes.join(","),
                    key.name
                ));
            }
        }
        KeyCommand::Revoke { tenant, key } => {
            bus(&ctx).await;
            keys::revoke(&ctx, tenant, key).await?;
            out("The key opens nothing any more.");
        }
    }
    Ok(())
}

async fn every_key(ctx: &Context, tenant: TenantId) -> anyhow::Result<Vec<Key>> {
    let mut keys = Vec::new();
    for page in 1.. {
        let more = keys::list(ctx, tenant, PageRequest::largest(page)).await?.items;
        if more.is_empty() {
            break;
        }
        keys.extend(more);
    }
    Ok(keys)
}

/// Waits for Redis, where other processes learn at once what opens nothing any more.
async fn bus(ctx: &Context) {
    if ctx.bus().wait_for_connection().await.is_err() {
        out("Redis does not answer; processes that use it take up to ten seconds to notice.");
    }
}
