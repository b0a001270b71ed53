-- Quotas of a plan: sources, stored bytes, API keys and embedded tokens.
--
-- Triggers keep the counters, whoever writes. Each row's total is part of the next one's: versions and pages of their
-- source, a source that is not deleted of its bot, a bot that is not deleted of its tenant. So a deletion uncounts all
-- below it by one update, and the purge that follows changes no tenant.
--
-- Lock order: jobs, source, tenant, bot. The triggers that lock tenant and bot run when a transaction commits.

alter table usage_month add column embedded_tokens bigint not null default 0;

alter table source_version
    -- Size of the original; null: there is none, or it is not counted yet.
    add column original_bytes bigint,
    -- When the original and the text were removed, some time after the version failed.
    add column removed_at timestamptz;

alter table source add column stored_bytes bigint;
-- Originals and texts of all versions, and texts of pages until they are joined. Null for sources that were there
-- before: the workers count them (`core/src/knowledge/uncounted.rs`), and until then neither bot nor tenant has them.
alter table source alter column stored_bytes set default 0;

alter table tenant
    add column source_count bigint not null default 0,
    add column stored_bytes bigint not null default 0;
alter table bot
    add column source_count bigint not null default 0,
    add column stored_bytes bigint not null default 0;

grant update (source_count, stored_bytes) on tenant to parlance_tenant;

-- Keys are counted when one is made: they expire without a write.
-- A tenant has few keys; the index is built in milliseconds.
-- squawk-ignore require-concurrent-index-creation
create index api_key_live_idx on api_key (tenant_id, expires_at) where revoked_at is null;

-- The size of an original is that of its source when the version is made.
create function note_original_bytes() returns trigger language plpgsql as $$
begin
    new.original_bytes := (select size_bytes from source where id = new.source_id);
    return new;
end $$;

create trigger version_original before insert on source_version for each row
    when (new.blob_key is not null and new.original_bytes is null)
    execute function note_original_bytes();

-- `octet_length` reads no text: its length is in the row.
create function count_version() returns trigger language plpgsql as $$
declare
    bytes bigint := 0;
begin
    if tg_op <> 'DELETE' then
        bytes := case when new.blob_key is null then 0 else coalesce(new.original_bytes, 0) end
            + coalesce(octet_length(new.content), 0);
    end if;
    if tg_op <> 'INSERT' then
        bytes := bytes - case when old.blob_key is null then 0 else coalesce(old.original_bytes, 0) end
            - coalesce(octet_length(old.content), 0);
    end if;
    update source
    set stored_bytes = stored_bytes + bytes
    where id = case tg_op when 'DELETE' then old.source_id else new.source_id end;
    return null;
end $$;

create trigger version_inserted after insert on source_version for each row
    when (new.blob_key is not null or new.content is not null)
    execute function count_version();
create trigger version_updated after update on source_version for each row
    when (
        (old.blob_key is null, old.original_bytes, octet_length(old.content))
        is distinct from (new.blob_key is null, new.original_bytes, octet_length(new.content))
    )
    execute function count_version();
create trigger version_deleted after delete on source_version for each row
    when (old.blob_key is not null or old.content is not null)
    execute function count_version();

-- By statement: when the pages of a site are joined, all lose their text.
create function count_pages() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        update source set stored_bytes = stored_bytes + moved.bytes
        from (select source_id, sum(octet_length(content)) as bytes from fresh group by source_id) as moved
        where source.id = moved.source_id and moved.bytes <> 0;
    elsif tg_op = 'DELETE' then
        update source set stored_bytes = stored_bytes - moved.bytes
        from (select source_id, sum(octet_length(content)) as bytes from gone group by source_id) as moved
        where source.id = moved.source_id and moved.bytes <> 0;
    else
        update source set stored_bytes = stored_bytes + moved.bytes
        from (
            select source_id, sum(bytes) as bytes
            from (
                select source_id, octet_length(content) as bytes from fresh
                union all
                select source_id, -octet_length(content) from gone
            ) as changes
            group by source_id
        ) as moved
        where source.id = moved.source_id and moved.bytes <> 0;
    end if;
    return null;
end $$;

create trigger page_inserted after insert on source_page
    referencing new table as fresh for each statement execute function count_pages();
create trigger page_updated after update on source_page
    referencing old table as gone new table as fresh for each statement execute function count_pages();
create trigger page_deleted after delete on source_page
    referencing old table as gone for each statement execute function count_pages();

create function count_source() returns trigger language plpgsql as $$
declare
    sources bigint := 0;
    bytes bigint := 0;
    in_tenant uuid;
    in_bot uuid;
    bot_deleted_at timestamptz;
begin
    if tg_op <> 'INSERT' then
        in_tenant := old.tenant_id;
        in_bot := old.bot_id;
        if old.deleted_at is null and old.stored_bytes is not null then
            sources := -1;
            bytes := -old.stored_bytes;
        end if;
    end if;
    if tg_op <> 'DELETE' then
        in_tenant := new.tenant_id;
        in_bot := new.bot_id;
        if new.deleted_at is null and new.stored_bytes is not null then
            sources := sources + 1;
            bytes := bytes + new.stored_bytes;
        end if;
    end if;
    if sources = 0 and bytes = 0 then
        return null;
    end if;
    -- The tenant before the bot, as whoever deletes a bot locks them.
    perform 1 from tenant where id = in_tenant for no key update;
    update bot
    set source_count = source_count + sources, stored_bytes = stored_bytes + bytes
    where id = in_bot
    returning deleted_at into bot_deleted_at;
    -- A deleted bot, and all that it had, is no longer its tenant's.
    if found and bot_deleted_at is null then
        update tenant
        set source_count = source_count + sources, stored_bytes = stored_bytes + bytes
        where id = in_tenant;
    end if;
    return null;
end $$;

create constraint trigger source_counted_new after insert on source
    deferrable initially deferred for each row execute function count_source();
create constraint trigger source_counted_changed after update on source
    deferrable initially deferred for each row
    when ((old.deleted_at is null, old.stored_bytes) is distinct from (new.deleted_at is null, new.stored_bytes))
    execute function count_source();
create constraint trigger source_counted_gone after delete on source
    deferrable initially deferred for each row execute function count_source();

create function count_bot() returns trigger language plpgsql as $$
begin
    if old.deleted_at is null then
        update tenant
        set source_count = source_count - old.source_count, stored_bytes = stored_bytes - old.stored_bytes
        where id = old.tenant_id;
    else
        update tenant
        set source_count = source_count + new.source_count, stored_bytes = stored_bytes + new.stored_bytes
        where id = new.tenant_id;
    end if;
    return null;
end $$;

create trigger bot_hidden after update on bot for each row
    when ((old.deleted_at is null) <> (new.deleted_at is null))
    execute function count_bot();
create trigger bot_removed after delete on bot for each row
    when (old.deleted_at is null)
    execute function count_bot();
