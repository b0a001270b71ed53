//! `parlance migrate`, `parlance tenant` and `parlance key`.

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
use crate::data_dir::operator_context;
use crate::output::out;

/// Polling interval while a tenant is being deleted.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

pub(crate) async fn migrate(config: Config, data_dir: &Path) -> anyhow::Result<()> {
    let ctx = operator_context(config, data_dir)?;
    db::migrate(ctx.db()).await?;
    out("The schema is up to date.");
    Ok(())
}

pub(crate) async fn run(config: Config, data_dir: &Path, command: TenantCommand) -> anyhow::Result<()> {
    let ctx = operator_context(config, data_dir)?;
    match command {
        TenantCommand::Create { name, plan } => {
            let tenant = tenants::create(&ctx, &name, plan).await?;
            let (_, raw) = keys::issue(&ctx, tenant.id, &KeyRequest::full("default")?).await?;
            out(&format!("tenant   {}\nname     {}\nplan     {}", tenant.id, tenant.name, plan.as_str()));
            out(&format!("api key  {}\nKeep the key: it is not shown again.", raw.expose()));
        }
        TenantCommand::SetPlan { tenant, plan } => {
            let tenant = tenants::set_plan(&ctx, tenant, plan).await?;
            out(&format!("{} is now on the {} plan.", tenant.name, tenant.plan.as_str()));
        }
        TenantCommand::Deactivate { tenant } => {
            wait_for_redis(&ctx).await;
            let tenant = tenants::set_active(&ctx, tenant, false).await?;
            out(&format!("{} is deactivated; its keys are refused.", tenant.name));
        }
        TenantCommand::Delete { tenant, name, timeout } => {
            delete(&ctx, tenant, &name, Duration::from_secs(timeout)).await?;
        }
        TenantCommand::Activate { tenant } => {
            wait_for_redis(&ctx).await;
            let tenant = tenants::set_active(&ctx, tenant, true).await?;
            out(&format!("{} is active; its keys are accepted.", tenant.name));
        }
        TenantCommand::List => {
            for tenant in tenants::list(&ctx).await? {
                let state = if tenant.is_active { "active" } else { "inactive" };
                let created = tenant.created_at.format("%F");
                out(&format!(
                    "{}  {created}  {state:<8}  {:<12}  {}",
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
        "tenant {tenant} is named {:?}, not {name:?}; nothing was deleted",
        found.name
    );
    wait_for_redis(ctx).await;
    erase::begin(ctx, tenant).await?;
    out(&format!("The keys of {name} are revoked. Deleting its bots."));
    let (deadline, mut reported) = (Instant::now() + timeout, None);
    while !erase::finish(ctx, tenant).await? {
        let left = erase::remaining_bots(ctx, tenant).await?;
        if reported != Some(left) {
            out(&format!("{left} bots left to delete."));
            reported = Some(left);
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "timed out with {left} bots left: check that a worker serves the `purge` queue (parlance worker list) and that \
             no job failed (parlance job list --state failed), then run this command again."
        );
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let remaining = erase::remaining_rows(ctx, tenant).await?;
    for (table, count) in remaining.iter().filter(|(_, count)| *count > 0) {
        out(&format!("{count} rows remain in {table}"));
    }
    let rows: i64 = remaining.iter().map(|(_, count)| count).sum();
    anyhow::ensure!(rows == 0, "{rows} rows of {name} remain");
    out(&format!(
        "Nothing of {name} remains: its files are deleted, and none of {} tables refers to it.",
        remaining.len()
    ));
    Ok(())
}

pub(crate) async fn run_key(config: Config, data_dir: &Path, command: KeyCommand) -> anyhow::Result<()> {
    let ctx = operator_context(config, data_dir)?;
    match command {
        KeyCommand::Create { tenant, name, scopes, expires } => {
            let request = KeyRequest { name, scopes: scopes.try_into()?, expires_at: expires };
            let (key, raw) = keys::issue(&ctx, tenant, &request).await?;
            out(&format!(
                "key      {}\napi key  {}\nKeep the key: it is not shown again.",
                key.id,
                raw.expose()
            ));
        }
        KeyCommand::List { tenant } => {
            tenants::get(&ctx, tenant).await?;
            for key in all_keys(&ctx, tenant).await? {
                let expired = key.expires_at.is_some_and(|end| end <= Utc::now());
                let state = if expired { "expired" } else { "active" };
                let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
                let created = key.created_at.format("%F");
                out(&format!(
                    "{}  {created}  {state:<7}  {}…  {}  {}",
                    key.id,
                    key.prefix,
                    scopes.join(","),
                    key.name
                ));
            }
        }
        KeyCommand::Revoke { tenant, key } => {
            wait_for_redis(&ctx).await;
            keys::revoke(&ctx, tenant, key).await?;
            out("The key is revoked.");
        }
    }
    Ok(())
}

async fn all_keys(ctx: &Context, tenant: TenantId) -> anyhow::Result<Vec<Key>> {
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

/// Waits for Redis, through which other processes are notified to drop cached keys immediately.
async fn wait_for_redis(ctx: &Context) {
    if ctx.bus().wait_for_connection().await.is_err() {
        out("Redis does not answer; running processes may take up to ten seconds to apply the change.");
    }
}
