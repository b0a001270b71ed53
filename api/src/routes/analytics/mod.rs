//! Analytics routes: overview, conversations and knowledge gaps.

use parlance_core::analytics::{self, GapFilter, Period};
use parlance_core::ids::BotId;
use parlance_core::{Context, PageRequest, Result};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;

use crate::error::{Fails, Listing};
use crate::extract::fields::{Field, Fields, both};
use crate::extract::page;
use crate::extract::tenant::Tenant;
use crate::extract::types::{Id, TimeZone};
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
        #[oai(default = "default_period", validator(minimum(value = "1"), maximum(value = "365")))]
        period: Query<Field<i64>>,
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
        #[oai(default = "default_period", validator(minimum(value = "1"), maximum(value = "365")))]
        period: Query<Field<i64>>,
        /// Filter by specific bot.
        bot_id: Query<Field<Id>>,
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
        #[oai(default = "page::default_page", validator(minimum(value = "1")))]
        page: Query<Field<i64>>,
        /// Items per page.
        #[oai(default = "page::default_per_page", validator(minimum(value = "1"), maximum(value = "100")))]
        per_page: Query<Field<i64>>,
        /// Number of days to analyze.
        #[oai(default = "default_period", validator(minimum(value = "1"), maximum(value = "365")))]
        period: Query<Field<i64>>,
        /// Filter by specific bot.
        bot_id: Query<Field<Id>>,
        /// IANA name of the time zone of the days, such as Europe/Madrid (default: UTC).
        timezone: Query<Field<TimeZone>>,
        /// Filter by weakness: true for gaps with tentative answers only, false for gaps with at least one unknown
        /// answer (default: both).
        weak: Query<Field<bool>>,
    ) -> Result<Listed<KnowledgeGap>, Fails<Listing>> {
        let mut fields = Fields::of_query();
        let page = page::parse(&mut fields, page.0, per_page.0);
        let (period, bot) = parse_shared(&mut fields, period.0, bot_id.0, timezone.0);
        let weak = fields.take("weak", weak.0);
        let (page, period): (PageRequest, Period) = fields.check(both(page, period))?;
        Ok(Listed::of(
            analytics::knowledge_gaps(&ctx, tenant.id(), &period, GapFilter { bot, weak }, page).await?,
        ))
    }
}

/// Default of `period` in the specification.
fn default_period() -> Field<i64> {
    Field::Given(analytics::period::USUAL)
}

/// Parses the parameters that all operations share. The caller collects all errors in `fields`.
fn parse_shared(
    fields: &mut Fields,
    period: Field<i64>,
    bot_id: Field<Id>,
    timezone: Field<TimeZone>,
) -> (Result<Period>, Option<BotId>) {
    let period = fields.take("period", period);
    let bot = fields.id("bot_id", "a bot", bot_id);
    let timezone = fields.take("timezone", timezone).map(String::from);
    (Period::parse(period, timezone.as_deref()), bot)
}

fn parse_query(
    period: Field<i64>,
    bot_id: Field<Id>,
    timezone: Field<TimeZone>,
) -> Result<(Period, Option<BotId>)> {
    let mut fields = Fields::of_query();
    let (period, bot) = parse_shared(&mut fields, period, bot_id, timezone);
    fields.check(period.map(|period| (period, bot)))
}
