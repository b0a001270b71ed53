-- How answers came about: what was searched for, what was found, what the model was given.

create table answer_trace (
    message_id uuid primary key references message (id) on delete cascade,
    tenant_id uuid not null,
    trace jsonb not null
);

alter table answer_trace enable row level security;
create policy tenant_wall on answer_trace to parlance_tenant
    using (tenant_id = (select current_tenant()));
grant select, insert, update, delete on answer_trace to parlance_tenant;
