-- Every kind of source: web sites with the ledger of their pages, where the pages of a text begin, and jobs
-- that are watched and steered.

alter table source
    -- Of a web site: whether pages below its address are read too, and how many pages at most.
    add column include_subpages boolean not null default false,
    add column max_pages integer;

alter table source_version
    -- How the text is written; null until it is extracted.
    add column markup text check (markup in ('plain', 'markdown', 'records')),
    -- Where page 1, 2, … of a document begin in the text, in characters; empty when it has no pages.
    add column page_starts integer[] not null default '{}',
    -- What its owner should know, a sentence each.
    add column notes text[] not null default '{}',
    -- Chunks that kept the vector of an earlier version.
    add column reused_chunks integer;

update source_version
set markup = case when media_type = 'text/markdown' then 'markdown' else 'plain' end
from source
where source.id = source_id and content is not null;

-- The ledger of a crawl: what became of each page. A crawl that is taken over goes on by it.
create table source_page (
    source_id uuid not null references source (id) on delete cascade,
    version integer not null,
    tenant_id uuid not null,
    -- In the order in which they were found, from 1; the chunks of a page carry it.
    ordinal integer not null,
    url text not null,
    -- Equal for the addresses of one page.
    key text not null,
    state text not null default 'queued' check (state in ('queued', 'fetched', 'skipped', 'failed')),
    attempt integer not null default 0,
    not_before timestamptz not null default now(),
    -- Why it was skipped or failed: a slug and a sentence.
    reason text,
    message text,
    http_status integer,
    -- What came over, inflated.
    bytes bigint,
    title text,
    content text,
    -- How the content is written, and SHA-256 of it, to recognise the same page under two addresses.
    content_hash bytea,
    -- Where its text begins in the version's text, in characters.
    start_at integer,
    fetched_at timestamptz,
    primary key (source_id, version, ordinal),
    constraint source_page_key unique (source_id, version, key)
);

alter table source_page enable row level security;
create policy tenant_wall on source_page to parlance_tenant using (tenant_id = (select current_tenant()));
grant select, insert, update, delete on source_page to parlance_tenant;

alter table job
    -- Counts what a watcher can see: states and progress. The id of an event.
    add column revision bigint not null default 1,
    -- The states that it passed through, each with its revision, for watchers that come back.
    add column history jsonb not null default '[]';

-- A hint to and fro is not worth telling: `dispatched` is `queued` to whoever watches. The conditions stand at
-- the triggers, for a function that is called only to see that it has nothing to do costs as much as the write.
create function job_moved() returns trigger
language plpgsql as $$
begin
    new.revision := old.revision + 1;
    new.history := old.history || jsonb_build_object(
        'revision', new.revision, 'state', case new.state when 'dispatched' then 'queued' else new.state end,
        'attempt', new.attempt, 'at', now(), 'error_code', new.error_code, 'error_message', new.error_message
    );
    return new;
end $$;

create trigger job_moved before update on job
for each row when (
    old.state <> new.state
    and not (old.state in ('queued', 'dispatched') and new.state in ('queued', 'dispatched'))
)
execute function job_moved();

create function job_progressed() returns trigger
language plpgsql as $$
begin
    new.revision := old.revision + 1;
    return new;
end $$;

create trigger job_progressed before update on job
for each row when (
    old.state = new.state
    and (old.progress_done, old.progress_total) is distinct from (new.progress_done, new.progress_total)
)
execute function job_progressed();

-- The lists of jobs, by each filter; the rate at which a tenant's jobs end; the children of one.
create index job_kind_idx on job (tenant_id, kind, id desc);
create index job_state_idx on job (tenant_id, state, id desc);
create index job_bot_idx on job (tenant_id, bot_id, id desc) where bot_id is not null;
create index job_rate_idx on job (tenant_id, kind, finished_at) where state = 'succeeded';
create index job_parent_idx on job (parent_id, id) where parent_id is not null;
-- What is forgotten at last.
create index job_finished_idx on job (finished_at) where state in ('succeeded', 'cancelled');
-- Who has how much running, and what a worker is at.
create index job_at_work_idx on job (kind, tenant_id) where state = 'running';
-- A cancel finds its jobs by their source or bot; every index costs each of a job's updates.
drop index job_live_idx;

-- A job is written four times within a second or so: what it leaves behind must not pile up.
alter table job set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- What the sweeper last counted, for metrics: a row a count.
create table upkeep (
    name text primary key,
    value bigint not null,
    checked_at timestamptz not null default now()
);
