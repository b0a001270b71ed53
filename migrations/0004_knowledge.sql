-- Knowledge: sources, their versions, and the chunks that are searched.

create extension if not exists vector;

create table source (
    id uuid primary key,
    tenant_id uuid not null references tenant (id) on delete cascade,
    bot_id uuid not null,
    name text not null,
    source_type text not null check (source_type in ('file', 'url', 'text')),
    status text not null default 'queued'
        check (status in ('queued', 'processing', 'ready', 'failed', 'cancelled')),
    -- The version that is being made or was made last.
    version integer not null default 1,
    -- The version that is searched; null until the first is complete.
    live_version integer,
    -- Chunks of the live version, for the tenant's totals.
    live_chunks integer not null default 0,
    -- The job that began this version.
    job_id uuid,
    file_name text,
    media_type text,
    size_bytes bigint,
    -- SHA-256 of what was given, to recognise the same content in the same bot.
    content_hash bytea not null,
    url text,
    error_code text,
    error_message text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    foreign key (tenant_id, bot_id) references bot (tenant_id, id) on delete cascade
);

-- One for each filter of the list.
create index source_tenant_idx on source (tenant_id, id desc) where deleted_at is null;
create index source_type_idx on source (tenant_id, source_type, id desc) where deleted_at is null;
create index source_bot_idx on source (tenant_id, bot_id, id desc);
-- The same content twice in one bot is one source; a failed try does not stand in the way of another.
create unique index source_content_key on source (bot_id, content_hash)
    where deleted_at is null and status not in ('failed', 'cancelled');

create table source_version (
    source_id uuid not null references source (id) on delete cascade,
    version integer not null,
    tenant_id uuid not null,
    -- Where the original is kept.
    blob_key text,
    -- The extracted text that spans of chunks point into; null until it is extracted.
    content text,
    chunk_count integer,
    created_at timestamptz not null default now(),
    primary key (source_id, version)
);

create table chunk (
    id uuid primary key,
    tenant_id uuid not null,
    bot_id uuid not null,
    source_id uuid not null references source (id) on delete cascade,
    version integer not null,
    -- Its place in the source, from 0.
    ordinal integer not null,
    content text not null,
    -- The headings above it, outermost first, joined by " > ".
    heading text,
    page integer,
    -- Its span in the version's text, in characters (Unicode scalar values), end excluded.
    start_at integer not null,
    end_at integer not null,
    token_count integer not null,
    -- SHA-256 of what is embedded (heading and content), to keep vectors of unchanged text.
    hash bytea not null,
    model text not null,
    -- Null until it is embedded. Unit length, so that cosine distance ranks.
    embedding halfvec,
    tsv tsvector not null,
    -- The text search configuration of tsv, to make it anew when the bot's language changes.
    text_search text not null,
    created_at timestamptz not null default now(),
    constraint chunk_ordinal_key unique (source_id, version, ordinal)
);

create index chunk_bot_idx on chunk (bot_id);
create index chunk_tsv_idx on chunk using gin (tsv);
create index chunk_unembedded_idx on chunk (source_id, version) where embedding is null;
create index chunk_hash_idx on chunk (tenant_id, hash, model) where embedding is not null;
