-- A parameter of this type names the tenant of the statement that it is bound to, and makes the statement's transaction
-- read-only: Postgres checks a domain when it binds the value, before it plans or runs the statement. Both settings end
-- with the transaction (core/src/platform/db/reading.rs).
-- No column has this type, so no table is checked when it changes.
-- squawk-ignore ban-create-domain-with-constraint
create domain reading_tenant as uuid check (
    set_config('parlance.tenant', value::text, true) is not null
    and set_config('transaction_read_only', 'on', true) is not null
);
