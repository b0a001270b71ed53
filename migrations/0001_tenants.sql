-- Tenants, their keys and their monthly counters.

create table tenant (
    id uuid primary key,
    name text not null check (length(name) between 1 and 255),
    plan text not null check (plan in ('free', 'starter', 'professional', 'enterprise')),
    is_active boolean not null default true,
    -- Bots that exist now. A counter, so that the plan's limit is one conditional update that holds
    -- under concurrency and locks nothing but this row.
    bot_count integer not null default 0 check (bot_count >= 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table api_key (
    id uuid primary key,
    tenant_id uuid not null references tenant (id) on delete cascade,
    name text not null,
    -- The visible beginning of the key, to tell keys apart in a list.
    prefix text not null,
    -- SHA-256 of the key; the key itself is shown once and never stored.
    hash bytea not null,
    scopes text[] not null default '{full}',
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz not null default now(),
    constraint api_key_hash_key unique (hash)
);

create index api_key_tenant_idx on api_key (tenant_id, id desc);

create table usage_month (
    tenant_id uuid not null references tenant (id) on delete cascade,
    -- The first day of the calendar month, UTC.
    month date not null,
    conversations bigint not null default 0,
    messages bigint not null default 0,
    primary key (tenant_id, month)
);
