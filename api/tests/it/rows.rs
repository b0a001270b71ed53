//! All rows of a tenant, to detect changes.

use std::collections::BTreeMap;

use parlance_core::ids::TenantId;
use parlance_testing::TestApp;
use parlance_testing::sqlx;
use parlance_testing::sqlx::AssertSqlSafe;

/// The tables with a column `tenant_id`; partitions are parts of their table.
pub(crate) async fn tables(app: &TestApp) -> Vec<String> {
    let query = "select table_name::text from information_schema.columns \
                 join information_schema.tables using (table_schema, table_name) \
                 where table_schema = 'public' and column_name = 'tenant_id' and table_type = 'BASE TABLE' \
                     and not exists (select 1 from pg_class where relispartition and relname = table_name) \
                 order by 1";
    sqlx::query_scalar(query).fetch_all(app.ctx.db().platform()).await.unwrap()
}

/// The rows of a tenant by table, without `last_used_at` of keys, which changes with every request.
pub(crate) async fn rows(app: &TestApp, tenant: TenantId) -> BTreeMap<String, Vec<String>> {
    let mut rows = BTreeMap::new();
    for table in tables(app).await.into_iter().chain(["tenant".to_owned()]) {
        let owner = if table == "tenant" { "id" } else { "tenant_id" };
        let query = format!(
            "select (to_jsonb(row) - 'last_used_at')::text from \"{table}\" as row where {owner} = $1 order by 1"
        );
        let found = sqlx::query_scalar(AssertSqlSafe(query)).bind(tenant.uuid());
        rows.insert(table, found.fetch_all(app.ctx.db().platform()).await.unwrap());
    }
    rows
}
