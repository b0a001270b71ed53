//! Queries on `model_calibration`.

use sqlx::PgPool;
use sqlx::types::Json;

use super::Calibration;

pub(super) async fn find(db: &PgPool, model: &str) -> sqlx::Result<Option<Calibration>> {
    let kept = sqlx::query_scalar!(
        r#"select calibration as "calibration: Json<Calibration>" from model_calibration where model = $1"#,
        model,
    )
    .fetch_optional(db)
    .await?;
    Ok(kept.map(|calibration| calibration.0))
}

/// Stores a calibration unless one exists; returns the stored one.
pub(super) async fn insert_if_absent(
    db: &PgPool,
    model: &str,
    measured: Calibration,
) -> sqlx::Result<Calibration> {
    sqlx::query!(
        "insert into model_calibration (model, calibration) values ($1, $2) on conflict (model) do nothing",
        model,
        Json(measured) as _,
    )
    .execute(db)
    .await?;
    Ok(find(db, model).await?.unwrap_or(measured))
}
