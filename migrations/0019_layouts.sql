-- Layout of the search tables: 1 for rows in one table, 2 for rows in a partition by the bot (0020_partitions.sql). Every row
-- so far has 1: the column has no value in the rows, and the constraint is validated by the next step.

alter table chunk_vector
    add column layout integer not null default 1,
    add constraint chunk_vector_layout_check check (layout = 1) not valid;

alter table chunk_text
    add column layout integer not null default 1,
    add constraint chunk_text_layout_check check (layout = 1) not valid;
