//! The owner's tenant, API key and demo bot, created at the first start of `up`.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use parlance_core::Context;
use parlance_core::bots::{self, Channel, NewBot, Personality, Role};
use parlance_core::ids::TenantId;
use parlance_core::knowledge::{self, File};
use parlance_core::tenants::keys::{self, KeyRequest, RawKey};
use parlance_core::tenants::{self, Plan};

use crate::data_dir::write_private;

/// Documents of the demo bot: file name and text. README.md and every page of `docs/`.
pub(crate) const DOCUMENTS: [(&str, &str); 9] = [
    ("guide.md", include_str!("../../docs/guide.md")),
    ("README.md", include_str!("../../README.md")),
    ("api.md", include_str!("../../docs/api.md")),
    ("benchmarks.md", include_str!("../../docs/benchmarks.md")),
    ("configuration.md", include_str!("../../docs/configuration.md")),
    ("operations.md", include_str!("../../docs/operations.md")),
    ("scaling.md", include_str!("../../docs/scaling.md")),
    ("threat-model.md", include_str!("../../docs/threat-model.md")),
    ("troubleshooting.md", include_str!("../../docs/troubleshooting.md")),
];

/// Tenant and API key of a data folder.
pub(crate) struct Owner {
    pub(crate) tenant: TenantId,
    pub(crate) key: RawKey,
}

/// Returns the tenant and key stored in the data folder if the database knows them; otherwise creates both.
pub(crate) async fn owner(ctx: &Context, data_dir: &Path, with_demo: bool) -> anyhow::Result<Owner> {
    let path = data_dir.join("api_key");
    if let Ok(stored) = fs::read_to_string(&path)
        && let Ok(key) = stored.trim().parse::<RawKey>()
        && let Ok(caller) = keys::authenticate(ctx, &key).await
    {
        return Ok(Owner { tenant: caller.tenant, key });
    }
    let tenant = tenants::create(ctx, "Demo", Plan::Professional).await?;
    let (_, key) = keys::issue(ctx, tenant.id, &KeyRequest::full("parlance up")?).await?;
    if with_demo {
        create_bot(ctx, tenant.id).await?;
    }
    // Last, so that an interrupted first start is repeated.
    write_private(&path, key.expose())?;
    Ok(Owner { tenant: tenant.id, key })
}

async fn create_bot(ctx: &Context, tenant: TenantId) -> anyhow::Result<()> {
    let bot = NewBot {
        description: Some("Answers questions about Parlance from its own documents.".parse()?),
        welcome_message: Some("Hi! Ask me anything about Parlance.".parse()?),
        personality: Some(Personality::Helpful),
        role: Some(Role::TechnicalSupport),
        ..NewBot::new("Parlance guide".parse()?, Channel::Webchat)
    };
    let bot = bots::create(ctx, tenant, &bot).await?;
    for (name, text) in DOCUMENTS {
        let file = File { name: name.to_owned(), bytes: Bytes::from_static(text.as_bytes()) };
        knowledge::upload(ctx, tenant, bot.id, file).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn demo_bot_learns_readme_and_every_page_of_docs() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let pages = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
        let pages = pages.map(|name| name.into_string().unwrap()).filter(|name| name.ends_with(".md"));
        let expected: BTreeSet<String> = pages.chain(["README.md".to_owned()]).collect();
        assert_eq!(DOCUMENTS.map(|(name, _)| name.to_owned()).into_iter().collect::<BTreeSet<_>>(), expected);
    }
}
