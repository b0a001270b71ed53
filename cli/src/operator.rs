//! Operators' commands: the schema, tenants and keys.

use std::path::Path;

use parlance_core::config::Config;
use parlance_core::tenants::keys::{self, Scope};
use parlance_core::{db, tenants};

use crate::args::{KeyCommand, TenantCommand};
use crate::local::operator_context;
use crate::out;

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
            let (_, raw) = keys::create(&ctx, tenant.id, "default", &[Scope::Full], None).await?;
            out(&format!("tenant   {}\nname     {}\nplan     {}", tenant.id, tenant.name, plan.as_str()));
            out(&format!("api key  {}\nKeep the key: it is not shown again.", raw.expose()));
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

pub(crate) async fn key(config: Config, data_dir: &Path, command: KeyCommand) -> anyhow::Result<()> {
    let ctx = operator_context(config, data_dir)?;
    match command {
        KeyCommand::Create { tenant, name, scopes } => {
            let (key, raw) = keys::create(&ctx, tenant, &name, &scopes, None).await?;
            out(&format!(
                "key      {}\napi key  {}\nKeep the key: it is not shown again.",
                key.id,
                raw.expose()
            ));
        }
        KeyCommand::List { tenant } => {
            tenants::get(&ctx, tenant).await?;
            for key in keys::list(&ctx, tenant).await? {
                let state = if key.revoked_at.is_some() { "revoked" } else { "active" };
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
            keys::revoke(&ctx, tenant, key).await?;
            out("The key opens nothing any more.");
        }
    }
    Ok(())
}
