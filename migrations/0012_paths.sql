-- The functions that search as the owner look at a session's temporary tables last: first, where they are when a path does
-- not name them, whoever can make one could stand it before a table that the function trusts.
do $$
declare
    path constant text := current_setting('search_path') || ', pg_temp';
begin
    execute 'alter function nearest_chunks(uuid, text, halfvec, uuid[], integer) set search_path = ' || path;
    execute 'alter function best_worded_chunks(uuid, regconfig, text, uuid[], integer) set search_path = ' || path;
end $$;
