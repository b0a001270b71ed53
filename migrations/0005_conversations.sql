-- Conversations, their messages, and the questions that no knowledge answered.

create table conversation (
    id uuid primary key,
    tenant_id uuid not null references tenant (id) on delete cascade,
    bot_id uuid not null,
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
    -- The turn: whoever answers a message holds it, and the next message waits. It expires, should
    -- its holder die.
    turn uuid,
    turn_expires_at timestamptz,
    created_at timestamptz not null default now(),
    constraint conversation_session_key unique (tenant_id, session_id),
    check ((turn is null) = (turn_expires_at is null)),
    foreign key (tenant_id, bot_id) references bot (tenant_id, id) on delete cascade
);

-- Serves the list with every combination of its filters: the few combinations that a tenant has are
-- known from the rollups, and each is a range of this index, newest first.
create index conversation_list_idx on conversation (tenant_id, bot_id, status, channel, id desc);
create index conversation_idle_idx on conversation (last_message_at) where status = 'active';

create table message (
    id uuid primary key,
    tenant_id uuid not null,
    bot_id uuid not null,
    conversation_id uuid not null references conversation (id) on delete cascade,
    sender text not null check (sender in ('user', 'bot')),
    message text not null,
    message_type text not null default 'text',
    -- Of bot messages: what the answer rests on, and how it came about.
    sources jsonb,
    answered boolean,
    degraded boolean,
    -- It broke off: the model did, or whoever asked was gone.
    is_partial boolean not null default false,
    model text,
    input_tokens integer,
    output_tokens integer,
    timings_ms jsonb,
    -- What the customer thinks of it.
    feedback text check (feedback in ('up', 'down')),
    feedback_comment text,
    created_at timestamptz not null default now()
);

create index message_conversation_idx on message (conversation_id, created_at, id);

-- The welcome message is the bot's and answers nothing; it counts nowhere.
comment on column message.answered is 'null for messages of customers, and for the welcome message';

create table knowledge_gap (
    id uuid primary key,
    tenant_id uuid not null references tenant (id) on delete cascade,
    bot_id uuid not null,
    message_id uuid not null references message (id) on delete cascade,
    question text not null,
    -- The first gap that asked nearly the same; its own id when there was none.
    group_id uuid not null,
    -- Of a group's first question: what later ones are compared with.
    embedding halfvec,
    model text not null,
    created_at timestamptz not null default now(),
    foreign key (tenant_id, bot_id) references bot (tenant_id, id) on delete cascade
);

create index knowledge_gap_tenant_idx on knowledge_gap (tenant_id, created_at);
create index knowledge_gap_bot_idx on knowledge_gap (tenant_id, bot_id);
create index knowledge_gap_message_idx on knowledge_gap (message_id);
create index knowledge_gap_first_idx on knowledge_gap (tenant_id, bot_id, model) where embedding is not null;
