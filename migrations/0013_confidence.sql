-- Confidence of answers, and what a bot does without it.

alter table bot
    add column when_unsure text not null default 'tell' check (when_unsure in ('tell', 'refuse')),
    add column strict boolean not null default false;

alter table message
    -- Null for unknown answers, and for what no bot answered.
    add column confidence text,
    add column confidence_score real,
    add column support jsonb,
    add column grounded boolean,
    -- Not validated: a scan of all messages under an exclusive lock, and every earlier row is null.
    add constraint message_confidence_check check (confidence in ('high', 'low')) not valid;

-- A weak gap is a question that was given a tentative answer.
alter table knowledge_gap add column weak boolean not null default false;

-- As before, and tentative answers are counted: they are answered messages too.
create or replace function note_messages() returns trigger language plpgsql as $$
begin
    insert into rollup_delta (tenant_id, bot_id, bucket, measure, n)
    select tenant_id, bot_id, quarter_of(created_at), counted.measure,
        case tg_op when 'INSERT' then count(*) else -count(*) end
    from changed
    cross join lateral (
        values
            (case when sender = 'user' or answered is not null then 'message' end),
            (case when answered then 'answered' when not answered then 'unanswered' end),
            (case when answered and confidence = 'low' then 'tentative' end),
            (case when answered is not null then answer_time_measure(timings_ms) end),
            ('feedback.' || feedback)
    ) as counted (measure)
    where counted.measure is not null
    group by 1, 2, 3, 4;
    return null;
end $$;

-- Calibration of embedding models that are not embedded: measured once, when a model is first loaded.
create table model_calibration (
    model text primary key,
    calibration jsonb not null,
    created_at timestamptz not null default now()
);
