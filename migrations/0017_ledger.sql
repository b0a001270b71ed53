-- A heartbeat changes no indexed column: without this index it is written in place (heap-only tuples), and a claim has
-- one index fewer to write. The sweeper finds expired leases among the running jobs, in job_at_work_idx.
-- The lock is held for the drop alone, and `migrate` waits for it two seconds at a time.
-- squawk-ignore require-concurrent-index-deletion
drop index job_running_idx;
