//! Analytics routes: overview, conversations and knowledge gaps.

use parlance_core::analytics::period::{DEFAULT_DAYS, Days, TimeZone};
use parlance_core::analytics::{self, Period};
use parlance_core::conversations::{self, GapFilter};
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

use responses::{AnalyticsOverview, ConversationAnalytics, KnowledgeGap};

#[derive(Clone, Copy, Default)]
pub(crate) struct Api;

#[OpenApi(tag = "Tag::Analytics")]
impl Api {
    /// Get analytics overview
    ///
    /// Retrieve high-level analytics overview for your tenant. The period ends today, inclusive. Totals count what
    /// started in the period; `active_conversations` is the current number.
    #[oai(path = "/analytics/overview", method = "get", operation_id = "getAnalyticsOverview")]
    async fn get_overview(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Number of days to analyze.
        #[oai(default = "default_period")]
        period: Query<Field<Days>>,
        /// IANA name of the time zone of the days, such as Europe/Madrid (default: UTC).
        timezone: Query<Field<TimeZone>>,
    ) -> Result<Found<AnalyticsOverview>, Fails<Listing>> {
        let (period, _) = parse_query(period.0, Field::Absent, timezone.0)?;
        Ok(Found(analytics::overview(&ctx, tenant.id(), &period).await?.into()))
    }

    /// Get conversation analytics
    ///
    /// Retrieve detailed conversation analytics with breakdowns by channel, status, and time. `by_day` contains
    /// every day of the period.
    #[oai(path = "/analytics/conversations", method = "get", operation_id = "getConversationAnalytics")]
    async fn get_conversations(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Number of days to analyze.
        #[oai(default = "default_period")]
        period: Query<Field<Days>>,
        /// Filter by specific bot.
        bot_id: Query<Field<BotId>>,
        /// IANA name of the time zone of the days, such as Europe/Madrid (default: UTC).
        timezone: Query<Field<TimeZone>>,
    ) -> Result<Found<ConversationAnalytics>, Fails<Listing>> {
        let (period, bot) = parse_query(period.0, bot_id.0, timezone.0)?;
        Ok(Found(analytics::conversations(&ctx, tenant.id(), &period, bot).await?.into()))
    }

    /// List knowledge gaps
    ///
    /// Retrieve the questions with an unknown or a tentative answer, most frequent first. Near-duplicate questions
    /// form one gap.
    #[oai(path = "/analytics/knowledge-gaps", method = "get", operation_id = "listKnowledgeGaps")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list_gaps(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Page number.
        #[oai(default = "page::default_page")]
        page: Query<Field<PageNumber>>,
        /// Items per page.
        #[oai(default = "page::default_per_page")]
        per_page: Query<Field<PageSize>>,
        /// Number of days to analyze.
        #[oai(default = "default_period")]
        period: Query<Field<Days>>,
        /// Filter by specific bot.
        bot_id: Query<Field<BotId>>,
        /// IANA name of the time zone of the days, such as Europe/Madrid (default: UTC).
        timezone: Query<Field<TimeZone>>,
        /// Filter by weakness: true for gaps with tentative answers only, false for gaps with at least one unknown
        /// answer (default: both).
        weak: Query<Field<bool>>,
    ) -> Result<Listed<KnowledgeGap>, Fails<Listing>> {
        let mut fields = Fields::of_query();
        let page = page::parse(&mut fields, page.0, per_page.0);
        let (period, bot) = parse_shared(&mut fields, period.0, bot_id.0, timezone.0);
        let weak = fields.parameter("weak", weak.0);
        let (page, period, filter) =
            fields.finish(|| Some((page?, period?, GapFilter { bot: bot?, weak: weak? })))?;
        Ok(Listed::of(conversations::list_gaps(&ctx, tenant.id(), period.start(), filter, page).await?))
    }
}

/// Default of `period` in the specification.
fn default_period() -> Field<Days> {
    Field::Given(DEFAULT_DAYS)
}

/// Parses the parameters that all operations share.
fn parse_shared(
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

fn parse_query(
    period: Field<Days>,
    bot_id: Field<BotId>,
    timezone: Field<TimeZone>,
) -> Result<(Period, Option<BotId>)> {
    let mut fields = Fields::of_query();
    let (period, bot) = parse_shared(&mut fields, period, bot_id, timezone);
    fields.finish(|| Some((period?, bot?)))
}
