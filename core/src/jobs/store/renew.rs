//! Statements of heartbeats: of all running jobs of a process at once.

use std::time::Duration;

use sqlx::PgExecutor;

use super::interval;
use crate::ids::LeaseToken;
use crate::jobs::heartbeat::{Beat, Pulse};

/// Reads which of these leases are held, with their cancellation requests. Takes no lock and writes nothing.
///
/// `due_within`: a lease that ends within this time is due. Uses the database's clock, which decides when a lease ends;
/// this process may have been paused.
pub(in crate::jobs) async fn find_held(
    db: impl PgExecutor<'_>,
    beats: &[Beat],
    due_within: Duration,
) -> sqlx::Result<Vec<Pulse>> {
    let (jobs, leases): (Vec<_>, Vec<_>) =
        beats.iter().map(|beat| (beat.job.uuid(), beat.lease.uuid())).unzip();
    sqlx::query_as!(
        Pulse,
        r#"
        select lease_token as "lease!: LeaseToken", cancel_requested, lease_expires_at < now() + $3 as "is_due!",
            progress_done as done, progress_total as total
        from job
        where id = any($1) and lease_token = any($2)
        "#,
        &jobs,
        &leases,
        interval(due_within),
    )
    .fetch_all(db)
    .await
}

/// Renews leases and writes progress, which never decreases. Skips rows locked by other transactions: these settle or
/// cancel the job, and the sweeper skips locked jobs too.
pub(in crate::jobs) async fn renew_all(
    db: impl PgExecutor<'_>,
    beats: &[&Beat],
    lease_for: Duration,
) -> sqlx::Result<()> {
    let (jobs, leases): (Vec<_>, Vec<_>) =
        beats.iter().map(|beat| (beat.job.uuid(), beat.lease.uuid())).unzip();
    let (done, totals): (Vec<_>, Vec<_>) =
        beats.iter().map(|beat| (beat.progress.done, beat.progress.total)).unzip();
    let units: Vec<_> = beats.iter().map(|beat| beat.progress.unit.map(str::to_owned)).collect();
    sqlx::query!(
        r#"
        with held as materialized (
            select id from job
            where id = any($1) and lease_token = any($2)
            order by id
            for no key update skip locked
        )
        update job
        set lease_expires_at = now() + $3,
            progress_done = greatest(progress_done, beat.done),
            progress_total = coalesce(beat.total, progress_total),
            progress_unit = coalesce(beat.unit, progress_unit),
            updated_at = now()
        from unnest($1::uuid[], $2::uuid[], $4::bigint[], $5::bigint[], $6::text[])
            as beat (id, lease, done, total, unit)
        where job.id = any(array(select id from held)) and beat.id = job.id and beat.lease = job.lease_token
        "#,
        &jobs,
        &leases,
        interval(lease_for),
        &done,
        &totals as &[Option<i64>],
        &units as &[Option<String>],
    )
    .execute(db)
    .await?;
    Ok(())
}
