-- Partitions of the search tables by a hash of the bot, so that a plan and a write look at the indexes of a sixteenth of the
-- bots that have their own. The names `chunk_vector` and `chunk_text` stand for all rows as before:
--
--     chunk_vector                 by layout
--       chunk_vector_unhashed      layout 1: the table that was `chunk_vector`
--       chunk_vector_hashed        layout 2: all new rows, by a hash of the bot
--         chunk_vector_hashed_00   to _15
--
-- Rows of layout 1 are moved when their bot's indexes are built (core/src/knowledge/index.rs); rows of small bots stay.
-- Tenants have rights to the whole only, not to a partition.

-- Reads every row, beside readers and writers. Without it, the tables could be attached only by reading them behind a lock
-- that nobody passes.
alter table chunk_vector validate constraint chunk_vector_layout_check;
alter table chunk_text validate constraint chunk_text_layout_check;

do $$
declare
    patience constant text := current_setting('lock_timeout');
    tries integer := 0;
    searched text;
    key text;
    remainder integer;
begin
    -- Each try is shorter than `deadlock_timeout`, so that no statement of others is ever aborted for this one, and lets
    -- them pass. The scans above are not repeated.
    perform set_config('lock_timeout', '500ms', true);
    loop
        begin
            -- A foreign key is added to the first.
            lock table chunk in share row exclusive mode;
            lock table chunk_vector, chunk_text in access exclusive mode;
            exit;
        exception
            when lock_not_available then
                tries := tries + 1;
                if tries = 300 then
                    raise exception 'chunk, chunk_vector or chunk_text is locked by others for minutes: end the long '
                        'transactions that pg_stat_activity shows, and run `parlance migrate` again';
                end if;
        end;
        perform pg_sleep(0.5);
    end loop;
    perform set_config('lock_timeout', patience, true);

    foreach searched in array array['chunk_vector', 'chunk_text'] loop
        key := case searched when 'chunk_vector' then 'chunk_id, model' else 'chunk_id' end;
        execute format('alter table %1$I rename to %1$s_unhashed', searched);
        execute format('alter index %1$s_pkey rename to %1$s_unhashed_pkey', searched);
        execute format('alter index %1$s_bot_idx rename to %1$s_unhashed_bot_idx', searched);
        execute format('alter index %1$s_source_idx rename to %1$s_unhashed_source_idx', searched);
        execute format(
            'create table %1$I (like %1$s_unhashed including defaults) partition by list (layout)', searched
        );
        execute format('alter table %I alter column layout set default 2', searched);
        execute format(
            'alter table %I add foreign key (chunk_id) references chunk (id) on delete cascade', searched
        );
        execute format('create index %1$s_bot_idx on %1$I (bot_id)', searched);
        execute format('create index %1$s_source_idx on %1$I (source_id, version)', searched);
        -- Its indexes and its foreign key become parts of these.
        execute format('alter table %1$I attach partition %1$s_unhashed for values in (1)', searched);
        execute format('alter table %1$s_unhashed drop constraint %1$s_layout_check', searched);
        execute format(
            'create table %1$s_hashed partition of %1$I for values in (2) partition by hash (bot_id)', searched
        );
        for remainder in 0..15 loop
            -- The key cannot be that of the whole, which has no unique index over what it is divided by. A chunk is in one
            -- partition only, because it is of one bot.
            execute format(
                'create table %1$s_hashed_%2$s partition of %1$s_hashed (primary key (%3$s))
                for values with (modulus 16, remainder %4$s) with (toast_tuple_target = 8160)',
                searched, lpad(remainder::text, 2, '0'), key, remainder
            );
            execute format(
                'alter table %1$s_hashed_%2$s enable row level security', searched, lpad(remainder::text, 2, '0')
            );
        end loop;
        execute format('alter table %1$s_hashed enable row level security', searched);
        execute format('drop policy tenant_wall on %1$s_unhashed', searched);
        execute format('revoke all on %1$s_unhashed from parlance_tenant', searched);
        execute format('alter table %I enable row level security', searched);
        execute format(
            'create policy tenant_wall on %I to parlance_tenant using (tenant_id = (select current_tenant()))',
            searched
        );
        execute format('grant select, insert, update, delete on %I to parlance_tenant', searched);
    end loop;
end $$;

-- As before, but of a bot without rows of layout 1 by its partition alone, which the planner finds by literals.
create or replace function nearest_chunks(
    of_bot uuid, of_model text, question halfvec, of_sources uuid[], most integer
)
returns table (chunk_id uuid, distance double precision)
language plpgsql stable security definer rows 50
set search_path from current
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_sort = off
as $$
#variable_conflict use_column
declare
    me constant uuid := current_tenant();
    live constant text := 'cross join lateral (
            select 1 from source
            where source.tenant_id = $2 and source.id = nearest.source_id and live_version = nearest.version
                and deleted_at is null
            limit 1
        ) as live
        order by nearest.distance
        limit $3';
    -- Rows of the bot that are not moved yet.
    has_unhashed boolean;
    one_layout text;
    ranked text;
begin
    if question is null then
        return;
    end if;
    has_unhashed := exists (select 1 from chunk_vector_unhashed where bot_id = of_bot and tenant_id = me);
    if of_sources is not null then
        -- Planned for these arguments: of a large bot the sources are to be read by their index, of a small one by its own.
        return query execute '
            select nearest.chunk_id, nearest.distance
            from (
                select chunk_id, source_id, version, embedding <#> $1 as distance
                from chunk_vector
                where tenant_id = $2 and bot_id = $4 and model = $5 and source_id = any($6)'
                || case when has_unhashed then '' else ' and layout = 2' end || '
                order by distance
            ) as nearest ' || live
        using question, me, most, of_bot, of_model, of_sources;
    elsif exists (
        select 1 from bot_index where bot_id = of_bot and tenant_id = me and indexed_model = of_model
    ) then
        -- A longer list of candidates for a larger graph, as bench/search.md measured.
        perform set_config(
            'hnsw.ef_search',
            case when (select counted_chunks from bot_index where bot_id = of_bot) > 150000 then '200' else '64' end,
            true
        );
        -- The bot, the model and the layout as literals: that is how the planner finds the index which holds only theirs.
        one_layout := format(
            'select chunk_id, source_id, version, embedding::halfvec(%1$s) <#> $1::halfvec(%1$s) as distance
            from chunk_vector
            where tenant_id = $2 and bot_id = %2$L and model = %3$L and layout = ',
            vector_dims(question), of_bot, of_model
        );
        ranked := one_layout || '2 order by distance';
        if has_unhashed then
            -- Each by its own index, if it has one, and merged: together they would be compared one by one.
            ranked := 'select * from (' || ranked || ') as hashed
                union all
                select * from (' || one_layout || '1 order by distance) as unhashed
                order by distance';
        end if;
        return query execute
            'select nearest.chunk_id, nearest.distance from (' || ranked || ') as nearest ' || live
        using question, me, most;
    else
        return query
            select nearest.chunk_id, nearest.distance
            from (
                select chunk_id, source_id, version, embedding <#> question as distance
                from chunk_vector
                where tenant_id = me and bot_id = of_bot and model = of_model
                order by distance
            ) as nearest
            cross join lateral (
                select 1 from source
                where source.tenant_id = me and source.id = nearest.source_id and live_version = nearest.version
                    and deleted_at is null
                limit 1
            ) as live
            order by nearest.distance
            limit most;
    end if;
end $$;

create or replace function best_worded_chunks(
    of_bot uuid, language regconfig, question text, of_sources uuid[], most integer
)
returns table (chunk_id uuid, rank real)
language plpgsql stable security definer rows 50
set search_path from current
set enable_seqscan = off
-- Without a sort by it, an index on the bot reads every chunk where the lists of words name those that are wanted.
set enable_indexscan = off
as $$
declare
    me constant uuid := current_tenant();
    counted constant integer := (
        select counted_chunks from bot_index where bot_id = of_bot and tenant_id = me
    );
    looked_for text;
    rarest text[];
    flags text;
    weights text;
    score text;
    hashed constant text := case
        when not exists (select 1 from chunk_text_unhashed where bot_id = of_bot and tenant_id = me) then ' and layout = 2'
        else ''
    end;
begin
    select
        string_agg(quoted, '|') filter (where counted is null or up_to <= 1000),
        array_agg(quoted order by place) filter (where place <= 3),
        string_agg(format('(tsv @@ %L::tsquery)::integer as has_%s', quoted, place), ', '),
        string_agg(
            case when counted is null then
                format('ln(1 + count(*)::real / greatest(sum(has_%1$s), 1)) as weight_%1$s', place)
            else
                format('ln(1 + %s::real / %s) as weight_%s', counted, chunks, place)
            end, ', '
        ),
        string_agg(format('has_%1$s * weight_%1$s', place), ' + ')
    into looked_for, rarest, flags, weights, score
    from (
        select quoted, chunks, row_number() over by_frequency as place, sum(chunks) over by_frequency as up_to
        from (
            select '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''' as quoted,
                -- Those that are not listed are in a hundred chunks at most.
                coalesce(listed.chunks, 50) as chunks
            from unnest(to_tsvector(language, question))
            left join word_frequency as listed on bot_id = of_bot and word = lexeme
            -- A question of more words is a text, and its beginning says what it is about.
            order by positions[1]
            limit 64
        ) as words
        window by_frequency as (order by chunks, quoted)
    ) as ordered;
    if rarest is null then
        return;
    end if;
    if looked_for is null then
        -- Frequent words only: chunks with two of the three rarest.
        select coalesce(string_agg(one || '&' || other, '|'), rarest[1])
        into looked_for
        from unnest(rarest) with ordinality as one (one, place)
        join unnest(rarest) with ordinality as other (other, place) on one.place < other.place;
    end if;
    return query execute format(
        'with worded as materialized (
            select chunk_id, source_id, version, length(tsv)::real as words, %2$s
            from chunk_text
            where bot_id = %1$L and tenant_id = $1 and tsv @@ %3$L::tsquery %7$s
                and ($2 is null or source_id = any($2))
            limit %6$s
        ),
        average as materialized (select avg(words)::real as words, %4$s from worded)
        select best.chunk_id, best.rank
        from (
            select chunk_id, source_id, version,
                ((%5$s) * 2.2 / (1 + 1.2 * (0.25 + 0.75 * worded.words / average.words)))::real as rank
            from worded, average
            order by rank desc, chunk_id
        ) as best
        cross join lateral (
            select 1 from source
            where source.tenant_id = $1 and source.id = best.source_id and live_version = best.version
                and deleted_at is null
            limit 1
        ) as live
        order by best.rank desc, best.chunk_id
        limit $3',
        of_bot, flags, looked_for, weights, score, case when counted is null then 'all' else '2000' end,
        hashed
    ) using me, of_sources, most;
end $$;

-- The functions that search as the owner look at a session's temporary tables last: first, where they are when a path does
-- not name them, whoever can make one could stand it before a table that the function trusts.
do $$
declare
    path constant text := current_setting('search_path') || ', pg_temp';
begin
    execute 'alter function nearest_chunks(uuid, text, halfvec, uuid[], integer) set search_path = ' || path;
    execute 'alter function best_worded_chunks(uuid, regconfig, text, uuid[], integer) set search_path = ' || path;
end $$;
