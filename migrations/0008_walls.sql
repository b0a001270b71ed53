-- The second wall between tenants. The first is the tenant in every statement; behind it stands
-- row-level security: the API and the workers touch a tenant's rows as `parlance_tenant`, a role that
-- owns nothing and sees only the rows of the tenant that its session names in `parlance.tenant`. What
-- spans tenants (dispatch, sweeps, keys by hash) is done as the owner.

do $$
begin
    -- Roles belong to the cluster, and another database of it may have made this one.
    if not exists (select 1 from pg_roles where rolname = 'parlance_tenant') then
        create role parlance_tenant nologin;
    end if;
exception
    when duplicate_object or unique_violation then null;
end $$;

do $$
begin
    -- A superuser may take any role; another has to be given it.
    set local role parlance_tenant;
    reset role;
exception
    when insufficient_privilege then execute format('grant parlance_tenant to %I', current_user);
end $$;

-- The tenant of the session; null, which equals nothing, when there is none.
create function current_tenant() returns uuid
language sql stable parallel safe
return nullif(current_setting('parlance.tenant', true), '')::uuid;

do $$
declare
    walled text;
begin
    foreach walled in array array[
        'api_key', 'usage_month', 'bot', 'job', 'source', 'source_version', 'chunk', 'conversation',
        'message', 'knowledge_gap', 'rollup', 'rollup_delta', 'idempotency'
    ] loop
        execute format('alter table %I enable row level security', walled);
        execute format(
            'create policy tenant_wall on %I to parlance_tenant using (tenant_id = (select current_tenant()))',
            walled
        );
        execute format('grant select, insert, update, delete on %I to parlance_tenant', walled);
    end loop;
end $$;

alter table tenant enable row level security;
create policy tenant_wall on tenant to parlance_tenant using (id = (select current_tenant()));
grant select, update (bot_count) on tenant to parlance_tenant;
