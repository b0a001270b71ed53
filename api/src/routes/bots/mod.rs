//! Bot routes: create, list, get, update and delete.

use parlance_core::bots::{self, Channel, Filter};
use parlance_core::ids::BotId;
use parlance_core::{Context, PageNumber, PageRequest, PageSize, Result};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use crate::error::{Changing, Fails, Finding, Listing, Making, When, not_found_first};
use crate::extract::fields::{Field, Fields};
use crate::extract::json::JsonBody;
use crate::extract::page;
use crate::extract::path::PathId;
use crate::extract::tenant::Tenant;
use crate::openapi::Tag;
use crate::response::envelope::{Created, Deleted, Found, Listed};

pub(crate) mod requests;
pub(crate) mod responses;

use requests::{CreateBot, UpdateBot};
use responses::{Bot, CreatedBot, UpdatedBot};

#[derive(Clone, Copy, Default)]
pub(crate) struct Api;

#[OpenApi(tag = "Tag::Bots")]
impl Api {
    /// List all bots
    ///
    /// Retrieve a paginated list of all bots for your tenant, newest first.
    #[oai(path = "/bots", method = "get", operation_id = "listBots")]
    async fn list_bots(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Page number.
        #[oai(default = "page::default_page")]
        page: Query<Field<PageNumber>>,
        /// Items per page.
        #[oai(default = "page::default_per_page")]
        per_page: Query<Field<PageSize>>,
        /// Filter by channel type.
        channel_type: Query<Field<Channel>>,
        /// Filter by active status.
        is_active: Query<Field<bool>>,
    ) -> Result<Listed<Bot>, Fails<Listing>> {
        let (page, filter) = list_query(page.0, per_page.0, channel_type.0, is_active.0)?;
        Ok(Listed::of(bots::list(&ctx, tenant.id(), filter, page).await?))
    }

    /// Get specific bot
    ///
    /// Retrieve detailed information about a specific bot.
    #[oai(path = "/bots/:bot_id", method = "get", operation_id = "getBot")]
    async fn get_bot(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Unique identifier of the bot.
        bot_id: Path<PathId<BotId>>,
    ) -> Result<Found<Bot>, Fails<Finding>> {
        Ok(Found(bots::get(&ctx, tenant.id(), bot_id.0.known()?).await?.into()))
    }

    /// Create new bot
    ///
    /// Create a new chatbot for your tenant. The first one becomes the default bot, which answers sessions without
    /// a `bot_id`.
    #[oai(path = "/bots", method = "post", operation_id = "createBot")]
    async fn create_bot(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        body: JsonBody<CreateBot>,
    ) -> Result<Created<CreatedBot>, Fails<Making>> {
        let bot = body.0.parse().when("creating a bot")?;
        Ok(Created(bots::create(&ctx, tenant.id(), &bot).await?.into()))
    }

    /// Update bot
    ///
    /// Update an existing bot's configuration. Omitted fields stay unchanged; `null` clears an optional text.
    /// `is_default: true` makes this the default bot instead of the current one.
    #[oai(path = "/bots/:bot_id", method = "put", operation_id = "updateBot")]
    async fn update_bot(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Unique identifier of the bot to update.
        bot_id: Path<PathId<BotId>>,
        body: JsonBody<UpdateBot>,
    ) -> Result<Found<UpdatedBot>, Fails<Changing>> {
        let bot = bot_id.0.known()?;
        let changes = body.0.parse().when("updating a bot");
        let changes = not_found_first(bots::get(&ctx, tenant.id(), bot), changes).await?;
        Ok(Found(UpdatedBot::of(bots::update(&ctx, tenant.id(), bot, &changes).await?)))
    }

    /// Delete bot
    ///
    /// Permanently delete a bot and all associated data. This action cannot be undone. All conversations,
    /// messages, and knowledge associated with this bot will be permanently deleted. If it was the default
    /// bot, the oldest remaining bot becomes the default.
    #[oai(path = "/bots/:bot_id", method = "delete", operation_id = "deleteBot")]
    async fn delete_bot(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Unique identifier of the bot to delete.
        bot_id: Path<PathId<BotId>>,
    ) -> Result<Deleted, Fails<Finding>> {
        let name = bots::delete(&ctx, tenant.id(), bot_id.0.known()?).await?;
        Ok(Deleted(format!("Bot '{name}' deleted successfully")))
    }
}

/// Parses the parameters of the list.
fn list_query(
    page: Field<PageNumber>,
    per_page: Field<PageSize>,
    channel_type: Field<Channel>,
    is_active: Field<bool>,
) -> Result<(PageRequest, Filter)> {
    let mut fields = Fields::of_query();
    let page = page::parse(&mut fields, page, per_page);
    let channel_type = fields.parameter("channel_type", channel_type);
    let is_active = fields.parameter("is_active", is_active);
    fields.finish(|| Some((page?, Filter { channel_type: channel_type?, is_active: is_active? })))
}
