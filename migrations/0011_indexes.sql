-- What is searched, apart from what is shown: rows as narrow as can be, for a search reads many of them.

-- The vectors of chunks, each with the model that made it: while a bot changes over to another model, it has both.
create table chunk_vector (
    chunk_id uuid not null references chunk (id) on delete cascade,
    model text not null,
    tenant_id uuid not null,
    bot_id uuid not null,
    source_id uuid not null,
    version integer not null,
    -- Unit length, so that the inner product is the cosine.
    embedding halfvec not null,
    primary key (chunk_id, model)
    -- A vector stays in its row, where a scan finds it.
) with (toast_tuple_target = 8160);

create index chunk_vector_bot_idx on chunk_vector (bot_id);
create index chunk_vector_source_idx on chunk_vector (source_id, version);

-- The words of chunks: which, and not where or how often.
create table chunk_text (
    chunk_id uuid primary key references chunk (id) on delete cascade,
    tenant_id uuid not null,
    bot_id uuid not null,
    source_id uuid not null,
    version integer not null,
    tsv tsvector not null,
    -- The text search configuration of tsv, to make it anew when the bot's language changes.
    text_search text not null
) with (toast_tuple_target = 8160);

create index chunk_text_bot_idx on chunk_text (bot_id);
create index chunk_text_source_idx on chunk_text (source_id, version);

insert into chunk_vector (chunk_id, model, tenant_id, bot_id, source_id, version, embedding)
select id, model, tenant_id, bot_id, source_id, version, embedding from chunk where embedding is not null;

insert into chunk_text (chunk_id, tenant_id, bot_id, source_id, version, tsv, text_search)
select id, tenant_id, bot_id, source_id, version, strip(tsv), text_search from chunk;

-- How a bot is searched; a bot without a row has no chunks yet.
create table bot_index (
    bot_id uuid primary key references bot (id) on delete cascade,
    tenant_id uuid not null,
    -- The model whose vectors are searched.
    model text not null,
    -- The model whose vectors have an index of their own; null: they are compared one by one.
    indexed_model text,
    -- How many chunks there were when their words were counted; null: they have no index of their own.
    counted_chunks integer
);

insert into bot_index (bot_id, tenant_id, model)
select distinct on (bot_id) bot_id, tenant_id, model from chunk order by bot_id, id desc;

-- The frequent words of bots with an index of words: in how many chunks each is.
create table word_frequency (
    bot_id uuid not null references bot_index (bot_id) on delete cascade,
    word text not null,
    chunks integer not null,
    primary key (bot_id, word)
);

alter table chunk drop column model, drop column embedding, drop column tsv, drop column text_search;
drop index if exists chunk_hash_idx;
create index chunk_hash_idx on chunk (tenant_id, hash);
-- A bot's chunks, in the order in which another model embeds them.
drop index chunk_bot_idx;
create index chunk_bot_idx on chunk (bot_id, id);

-- Which model the jobs of a worker use: while they are not of one mind, no bot is moved from one to another.
alter table worker add column model text;

do $$
declare
    walled text;
begin
    foreach walled in array array['chunk_vector', 'chunk_text', 'bot_index'] loop
        execute format('alter table %I enable row level security', walled);
        execute format(
            'create policy tenant_wall on %I to parlance_tenant using (tenant_id = (select current_tenant()))',
            walled
        );
        execute format('grant select, insert, update, delete on %I to parlance_tenant', walled);
    end loop;
end $$;
alter table word_frequency enable row level security;

-- The nearest live chunks of a bot, nearest first. As the owner, for behind the walls no index would be used; the wall
-- is in its statements. First by distance and then by whether it is live, one by one: the other way round a planner
-- visits every source. Without sorting, or it would rather sort a hundred thousand rows than walk an index.
create function nearest_chunks(of_bot uuid, of_model text, question halfvec, of_sources uuid[], most integer)
returns table (chunk_id uuid, distance double precision)
language plpgsql stable security definer rows 50
set search_path from current
set enable_sort = off
as $$
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
        return query execute '
            select nearest.chunk_id, nearest.distance
            from (
                select chunk_id, source_id, version, embedding <#> $1 as distance
                from chunk_vector
                where tenant_id = $2 and bot_id = $4 and model = $5
                order by distance
            ) as nearest ' || live
        using question, me, most, of_bot, of_model;
    end if;
end $$;

-- The live chunks of a bot that share the question's words, best first: BM25 (Robertson and Zaragoza, 2009; k1 = 1.2,
-- b = 0.75) of words that occur or do not. The sum over the shared words of ln(1 + chunks / chunks with the word), times
-- 2.2 / (1 + 1.2 * (0.25 + 0.75 * words / words on average)). Where words are counted, rows are read of the rarest only,
-- until there are some 1,000, or else of those with two of the three rarest.
create function best_worded_chunks(
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
            where bot_id = %1$L and tenant_id = $1 and tsv @@ %3$L::tsquery
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
        of_bot, flags, looked_for, weights, score, case when counted is null then 'all' else '2000' end
    ) using me, of_sources, most;
end $$;

revoke execute on function nearest_chunks, best_worded_chunks from public;
grant execute on function nearest_chunks, best_worded_chunks to parlance_tenant;
