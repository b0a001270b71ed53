//! Analytics: what a tenant's bots did, in numbers.

use parlance_core::analytics::period::{DEFAULT_DAYS, Days, TimeZone};
use parlance_core::analytics::{self, GapFilter, Period};
use parlance_core::ids::BotId;
use parlance_core::{Context, PageNumber, PageSize, Result};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;

use crate::error::{Fails, Listing};
use crate::extract::fields::{Field, Fields};
use crate::extract::page;
use crate::extract::tenant::Tenant;
use crate::openapi::Tag;
use crate::response::envelope::{Found, Listed};

mod responses;

pub(crate) use responses::{
    AnswerTime, Breakdown, Conversations, Counts, FeedbackCounts, KnowledgeCounts, KnowledgeGap, Overview,
    OverviewBot,
};

#[derive(Clone, Copy, Default)]
pub(crate) struct Api;

#[OpenApi(tag = "Tag::Analytics")]
impl Api {
    /// Get analytics overview
    ///
    /// Retrieve high-level analytics overview for your tenant. The period is the last days up to and with
    /// today; totals count what began in it, `active_conversations` is now.
    #[oai(path = "/analytics/overview", method = "get", operation_id = "getAnalyticsOverview")]
    async fn get_overview(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Number of days to analyze.
        #[oai(default = "usual")]
        period: Query<Field<Days>>,
        /// The time zone of the days, by its IANA name, like Europe/Madrid (default: UTC).
        timezone: Query<Field<TimeZone>>,
    ) -> Result<Found<Overview>, Fails<Listing>> {
        let (period, _) = wanted(period.0, Field::Absent, timezone.0)?;
        Ok(Found(analytics::overview(&ctx, tenant.id(), &period).await?.into()))
    }

    /// Get conversation analytics
    ///
    /// Retrieve detailed conversation analytics with breakdowns by channel, status, and time. `by_day` has
    /// every day of the period.
    #[oai(path = "/analytics/conversations", method = "get", operation_id = "getConversationAnalytics")]
    async fn get_conversations(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Number of days to analyze.
        #[oai(default = "usual")]
        period: Query<Field<Days>>,
        /// Filter by specific bot.
        bot_id: Query<Field<BotId>>,
        /// The time zone of the days, by its IANA name, like Europe/Madrid (default: UTC).
        timezone: Query<Field<TimeZone>>,
    ) -> Result<Found<Conversations>, Fails<Listing>> {
        let (period, bot) = wanted(period.0, bot_id.0, timezone.0)?;
        Ok(Found(analytics::conversations(&ctx, tenant.id(), &period, bot).await?.into()))
    }

    /// List knowledge gaps
    ///
    /// Retrieve the questions that got an unknown or a tentative answer, most frequent first. Near-duplicate questions
    /// are one gap.
    #[oai(path = "/analytics/knowledge-gaps", method = "get", operation_id = "listKnowledgeGaps")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list_gaps(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Page number.
        #[oai(default = "page::first")]
        page: Query<Field<PageNumber>>,
        /// Items per page.
        #[oai(default = "page::usual")]
        per_page: Query<Field<PageSize>>,
        /// Number of days to analyze.
        #[oai(default = "usual")]
        period: Query<Field<Days>>,
        /// Filter by specific bot.
        bot_id: Query<Field<BotId>>,
        /// The time zone of the days, by its IANA name, like Europe/Madrid (default: UTC).
        timezone: Query<Field<TimeZone>>,
        /// Filter by weakness: true for gaps whose every question got a tentative answer, false for gaps with at least one
        /// unknown answer (default: both).
        weak: Query<Field<bool>>,
    ) -> Result<Listed<KnowledgeGap>, Fails<Listing>> {
        let mut fields = Fields::of_query();
        let page = page::requested(&mut fields, page.0, per_page.0);
        let (period, bot) = requested(&mut fields, period.0, bot_id.0, timezone.0);
        let weak = fields.parameter("weak", weak.0);
        let (page, period, filter) =
            fields.finish(|| Some((page?, period?, GapFilter { bot: bot?, weak: weak? })))?;
        Ok(Listed::of(analytics::knowledge_gaps(&ctx, tenant.id(), &period, filter, page).await?))
    }
}

/// The default period, for the specification.
fn usual() -> Field<Days> {
    Field::Given(DEFAULT_DAYS)
}

/// The period and the bot of a query with other parameters.
fn requested(
    fields: &mut Fields,
    period: Field<Days>,
    bot_id: Field<BotId>,
    timezone: Field<TimeZone>,
) -> (Option<Period>, Option<Option<BotId>>) {
    let days = fields.parameter("period", period);
    let bot = fields.parameter("bot_id", bot_id);
    let zone = fields.parameter("timezone", timezone);
    let period = days
        .zip(zone)
        .map(|(days, zone)| Period::last(days.unwrap_or(DEFAULT_DAYS), zone.unwrap_or_default()));
    (period, bot)
}

fn wanted(
    period: Field<Days>,
    bot_id: Field<BotId>,
    timezone: Field<TimeZone>,
) -> Result<(Period, Option<BotId>)> {
    let mut fields = Fields::of_query();
    let (period, bot) = requested(&mut fields, period, bot_id, timezone);
    fields.finish(|| Some((period?, bot?)))
}
