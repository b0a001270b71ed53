-- Answers kept for requests that a client may send again (the header Idempotency-Key).

create table idempotency (
    tenant_id uuid not null references tenant (id) on delete cascade,
    key text not null,
    -- SHA-256 of the method, the path and the body.
    fingerprint bytea not null,
    -- Whoever runs the request; null once it is answered.
    claim uuid,
    claim_expires_at timestamptz,
    status smallint,
    -- Sealed by the API key that the answer was given to; null too when something that it may quote was erased.
    body bytea,
    -- The part of the API: the first word of the path.
    about text not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, key),
    check ((claim is null) = (status is not null))
);

create index idempotency_age_idx on idempotency (created_at);
