-- The nearest live chunks of a bot, as before, but for a bot without an index of its own by statements that are planned once
-- a connection: whoever plans one looks at the indexes of all other bots. Beside 1,000 of those it takes 0.8 ms so, and took
-- 9.7. Without whole scans, or a plan that was made while there was little would be kept when there is much.
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
begin
    if question is null then
        return;
    end if;
    if of_sources is not null then
        -- Planned for these arguments: of a large bot the sources are to be read by their index, of a small one by its own.
        return query execute '
            select nearest.chunk_id, nearest.distance
            from (
                select chunk_id, source_id, version, embedding <#> $1 as distance
                from chunk_vector
                where tenant_id = $2 and bot_id = $4 and model = $5 and source_id = any($6)
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
        -- The bot and the model as literals: that is how the planner finds the index which holds only theirs.
        return query execute format(
            'select nearest.chunk_id, nearest.distance
            from (
                select chunk_id, source_id, version,
                    embedding::halfvec(%1$s) <#> $1::halfvec(%1$s) as distance
                from chunk_vector
                where tenant_id = $2 and bot_id = %2$L and model = %3$L
                order by distance
            ) as nearest ', vector_dims(question), of_bot, of_model) || live
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

-- The functions that search as the owner look at a session's temporary tables last: first, where they are when a path does
-- not name them, whoever can make one could stand it before a table that the function trusts.
do $$
declare
    path constant text := current_setting('search_path') || ', pg_temp';
begin
    execute 'alter function nearest_chunks(uuid, text, halfvec, uuid[], integer) set search_path = ' || path;
    execute 'alter function best_worded_chunks(uuid, regconfig, text, uuid[], integer) set search_path = ' || path;
end $$;
