-- Bots.

create table bot (
    id uuid primary key,
    tenant_id uuid not null references tenant (id) on delete cascade,
    name text not null,
    channel_type text not null,
    description text,
    welcome_message text,
    system_prompt text,
    is_active boolean not null default true,
    is_default boolean not null default false,
    language text not null default 'en',
    personality text,
    bot_role text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- Set by a delete: hidden at once, removed by a later job.
    deleted_at timestamptz,
    -- What refers to a bot names its tenant too, so that nothing can belong to another's.
    constraint bot_tenant_id_key unique (tenant_id, id)
);

-- Lists are newest first; v7 ids sort by time.
create index bot_tenant_idx on bot (tenant_id, id desc) where deleted_at is null;

create unique index bot_tenant_default_key on bot (tenant_id) where is_default and deleted_at is null;
