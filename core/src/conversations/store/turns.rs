//! Queries on the turn lease of a conversation.

use std::time::Duration;

use sqlx::PgExecutor;
use uuid::Uuid;

use crate::ids::{ConversationId, TenantId};
use crate::platform::db::interval;

/// Returns whether the turn was free and the conversation has not ended. Also reactivates an abandoned
/// conversation.
pub(in crate::conversations) async fn take_turn(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    token: Uuid,
    lease: Duration,
) -> sqlx::Result<bool> {
    let taken = sqlx::query!(
        r#"
        update conversation
        set turn = $3, turn_expires_at = now() + $4::interval, last_message_at = now(), status = 'active'
        where tenant_id = $1 and id = $2 and status <> 'ended'
            and (turn is null or turn_expires_at < now())
        "#,
        tenant.uuid(),
        conversation.uuid(),
        token,
        interval(lease),
    )
    .execute(db)
    .await?;
    Ok(taken.rows_affected() == 1)
}

pub(in crate::conversations) async fn renew_turn(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    token: Uuid,
    lease: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update conversation
        set turn_expires_at = now() + $4::interval
        where tenant_id = $1 and id = $2 and turn = $3
        "#,
        tenant.uuid(),
        conversation.uuid(),
        token,
        interval(lease),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(in crate::conversations) async fn pass_turn(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    token: Uuid,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update conversation
        set turn = null, turn_expires_at = null
        where tenant_id = $1 and id = $2 and turn = $3
        "#,
        tenant.uuid(),
        conversation.uuid(),
        token,
    )
    .execute(db)
    .await?;
    Ok(())
}
