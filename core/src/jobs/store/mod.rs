//! SQL of the table `job`. Private to the slice.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use super::About;
use crate::ids::{BotId, JobId, SourceId};

mod dispatch;
mod lease;
mod reports;
mod sweep;

pub(super) use dispatch::*;
pub(super) use lease::*;
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

/// Postgres counts an interval in microseconds; a duration beyond its range is as good as for ever.
pub(super) fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 2);
    PgInterval { months: 0, days: 0, microseconds }
}
