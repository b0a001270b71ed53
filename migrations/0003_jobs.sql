-- The ledger of jobs. It is the truth; what lies in Redis are hints.

create table job (
    id uuid primary key,
    tenant_id uuid not null references tenant (id) on delete cascade,
    bot_id uuid,
    source_id uuid,
    source_version integer,
    parent_id uuid,
    kind text not null,
    state text not null default 'queued'
        check (state in ('queued', 'dispatched', 'running', 'succeeded', 'failed', 'cancelled')),
    priority smallint not null default 0,
    payload jsonb not null,
    attempt integer not null default 0,
    max_attempts integer not null,
    -- A retry waits until then.
    not_before timestamptz not null default now(),
    deadline_at timestamptz not null,
    dispatched_at timestamptz,
    -- The fencing token: only its holder may renew or settle.
    lease_token uuid,
    lease_expires_at timestamptz,
    worker_id uuid,
    cancel_requested boolean not null default false,
    progress_done bigint not null default 0,
    progress_total bigint,
    progress_unit text,
    error_code text,
    error_message text,
    trace_context text,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz not null default now(),
    check ((state = 'running') = (lease_token is not null)),
    check ((state = 'running') = (lease_expires_at is not null)),
    check ((state in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null))
);

-- What dispatch reads: per queue, per tenant, by priority and age.
create index job_queued_idx on job (kind, tenant_id, priority desc, id) where state = 'queued';
-- What dispatch counts and the sweeper looks through.
create index job_dispatched_idx on job (kind, dispatched_at) where state = 'dispatched';
create index job_running_idx on job (lease_expires_at) where state = 'running';
-- Not by state: whoever asks for one state and a deadline to come would read all that live.
create index job_deadline_idx on job (deadline_at) where finished_at is null;
create index job_source_idx on job (source_id, source_version) where source_id is not null;
-- What a cancel looks through: only jobs that have not ended.
create index job_live_idx on job (tenant_id) where state in ('queued', 'dispatched', 'running');
create index job_tenant_idx on job (tenant_id, id desc);

-- Live worker processes: what dispatch sizes its window by, and what operators list.
create table worker (
    id uuid primary key,
    name text not null,
    -- {"embed": 2, …}: jobs of each queue that it runs at once.
    queues jsonb not null,
    started_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now()
);
