//! SQL of the table `job`. Private to the ledger.

use uuid::Uuid;

use super::About;
use crate::ids::{BotId, JobId, SourceId};

mod claim;
mod dispatch;
mod ended;
mod lease;
mod renew;
mod reports;
mod sweep;

pub(super) use crate::platform::db::interval;
pub(super) use claim::*;
pub(super) use dispatch::*;
pub(super) use ended::*;
pub(super) use lease::*;
pub(super) use renew::*;
pub(super) use reports::*;
pub(super) use sweep::*;

fn about(
    tenant: Uuid,
    bot: Option<Uuid>,
    source: Option<Uuid>,
    version: Option<i32>,
    parent: Option<Uuid>,
) -> About {
    About {
        tenant: tenant.into(),
        bot: bot.map(BotId::from),
        source: source.map(SourceId::from).zip(version),
        parent: parent.map(JobId::from),
    }
}
