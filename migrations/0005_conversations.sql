-- Conversations, their messages, and the questions that no knowledge answered.

create table conversation (
    id uuid primary key,
    tenant_id uuid not null references tenant (id) on delete cascade,
    bot_id uuid not null references bot (id) on delete cascade,
    session_id text not null,
    user_identifier text,
    user_name text,
    user_email text,
    channel text not null,
    status text not null default 'active' check (status in ('active', 'ended', 'abandoned')),
    metadata jsonb,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    last_message_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    constraint conversation_session_key unique (tenant_id, session_id)
);

create index conversation_tenant_idx on conversation (tenant_id, id desc);

create table message (
    id uuid primary key,
    tenant_id uuid not null,
    conversation_id uuid not null references conversation (id) on delete cascade,
    sender text not null check (sender in ('user', 'bot')),
    message text not null,
    message_type text not null default 'text',
    -- Of bot messages: what the answer rests on, and how it came about.
    sources jsonb,
    answered boolean,
    degraded boolean,
    model text,
    input_tokens integer,
    output_tokens integer,
    timings_ms jsonb,
    created_at timestamptz not null default now()
);

create index message_conversation_idx on message (conversation_id, id);

create table knowledge_gap (
    id uuid primary key,
    tenant_id uuid not null references tenant (id) on delete cascade,
    bot_id uuid not null references bot (id) on delete cascade,
    message_id uuid not null references message (id) on delete cascade,
    question text not null,
    created_at timestamptz not null default now()
);

create index knowledge_gap_tenant_idx on knowledge_gap (tenant_id, id desc);
