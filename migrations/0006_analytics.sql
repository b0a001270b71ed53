-- Rollups: what analytics and lists count, counted already.
--
-- A trigger notes each change of what is counted as a row of `rollup_delta`, in the same transaction: the
-- counts are exact at every moment, and no two writers wait for each other. The workers fold the deltas
-- into `rollup`; whoever reads adds the few that are not folded yet.

create table rollup (
    tenant_id uuid not null references tenant (id) on delete cascade,
    -- How much time it covers. Each grain nests in the next, counted from 2000-01-01, UTC, so that any stretch
    -- of time up to now is a few rows of each; quarters of an hour, for the days of every time zone are made of
    -- them.
    grain text not null check (grain in ('quarter', 'hour', 'six', 'day', 'octad', 'era', 'all')),
    -- What the measure begins with: who asks for some measures does not read past the others.
    family text not null,
    -- When it begins; '-infinity' for all.
    bucket timestamptz not null,
    bot_id uuid not null,
    measure text not null,
    n bigint not null,
    primary key (tenant_id, grain, family, bucket, bot_id, measure)
);

create table rollup_delta (
    id bigint generated always as identity primary key,
    tenant_id uuid not null references tenant (id) on delete cascade,
    bot_id uuid not null,
    -- The quarter of an hour in which what is counted began.
    bucket timestamptz not null,
    measure text not null,
    n bigint not null
);

create index rollup_delta_tenant_idx on rollup_delta (tenant_id, bucket);

create function quarter_of(moment timestamptz) returns timestamptz
language sql immutable parallel safe
return date_bin('15 minutes', moment, timestamptz '2000-01-01 00:00:00+00');

-- Answer times are counted in buckets that grow by a tenth each, so that a quantile is at most 5 % off
-- (DDSketch: Masson, Rim and Lee, VLDB 2019; alpha = 0.05, gamma = (1 + alpha) / (1 - alpha)).
create function answer_time_measure(timings jsonb) returns text
language sql immutable parallel safe
return 'answer_time.' || ceil(ln(greatest((timings ->> 'total')::double precision, 0.001)) / ln(1.05 / 0.95))::text;

-- Conversations: by channel and status, where they began.

create function note_conversations() returns trigger language plpgsql as $$
begin
    insert into rollup_delta (tenant_id, bot_id, bucket, measure, n)
    select tenant_id, bot_id, quarter_of(started_at), 'conversation.' || channel || '.' || status,
        case tg_op when 'INSERT' then count(*) else -count(*) end
    from changed
    group by 1, 2, 3, 4;
    return null;
end $$;

create function note_conversation_updated() returns trigger language plpgsql as $$
begin
    insert into rollup_delta (tenant_id, bot_id, bucket, measure, n)
    values
        (old.tenant_id, old.bot_id, quarter_of(old.started_at),
            'conversation.' || old.channel || '.' || old.status, -1),
        (new.tenant_id, new.bot_id, quarter_of(new.started_at),
            'conversation.' || new.channel || '.' || new.status, 1);
    return null;
end $$;

create trigger conversation_inserted after insert on conversation
    referencing new table as changed for each statement execute function note_conversations();
create trigger conversation_deleted after delete on conversation
    referencing old table as changed for each statement execute function note_conversations();
create trigger conversation_updated after update on conversation for each row
    when ((old.status, old.channel, old.started_at) is distinct from (new.status, new.channel, new.started_at))
    execute function note_conversation_updated();

-- Messages, where they were written: all but the welcome, answers by whether they are one, and how long
-- they took.

create function note_messages() returns trigger language plpgsql as $$
begin
    insert into rollup_delta (tenant_id, bot_id, bucket, measure, n)
    select tenant_id, bot_id, quarter_of(created_at), counted.measure,
        case tg_op when 'INSERT' then count(*) else -count(*) end
    from changed
    cross join lateral (
        values
            (case when sender = 'user' or answered is not null then 'message' end),
            (case when answered then 'answered' when not answered then 'unanswered' end),
            (case when answered is not null then answer_time_measure(timings_ms) end),
            ('feedback.' || feedback)
    ) as counted (measure)
    where counted.measure is not null
    group by 1, 2, 3, 4;
    return null;
end $$;

create function note_feedback_given() returns trigger language plpgsql as $$
begin
    insert into rollup_delta (tenant_id, bot_id, bucket, measure, n)
    select new.tenant_id, new.bot_id, quarter_of(new.created_at), 'feedback.' || given.feedback, given.n
    from (values (old.feedback, -1), (new.feedback, 1)) as given (feedback, n)
    where given.feedback is not null;
    return null;
end $$;

create trigger message_inserted after insert on message
    referencing new table as changed for each statement execute function note_messages();
create trigger message_deleted after delete on message
    referencing old table as changed for each statement execute function note_messages();
create trigger message_feedback after update on message for each row
    when (old.feedback is distinct from new.feedback) execute function note_feedback_given();

-- Sources and their chunks that can be found, since ever.

create function note_source_changed() returns trigger language plpgsql as $$
begin
    insert into rollup_delta (tenant_id, bot_id, bucket, measure, n)
    select tenant_id, bot_id, quarter_of(created_at), measure, sum(n)
    from (
        select old.tenant_id, old.bot_id, old.created_at, counted.measure, -counted.n as n
        from (values ('source', 1), ('chunk', old.live_chunks)) as counted (measure, n)
        where tg_op <> 'INSERT' and old.deleted_at is null
        union all
        select new.tenant_id, new.bot_id, new.created_at, counted.measure, counted.n
        from (values ('source', 1), ('chunk', new.live_chunks)) as counted (measure, n)
        where tg_op <> 'DELETE' and new.deleted_at is null
    ) as moved (tenant_id, bot_id, created_at, measure, n)
    group by 1, 2, 3, 4
    having sum(n) <> 0;
    return null;
end $$;

create trigger source_inserted after insert or delete on source
    for each row execute function note_source_changed();
create trigger source_updated after update on source for each row
    when ((old.deleted_at, old.live_chunks) is distinct from (new.deleted_at, new.live_chunks))
    execute function note_source_changed();
