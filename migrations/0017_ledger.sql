-- A heartbeat changes no indexed column: without this index it is written in place (heap-only tuples), and a claim has
-- one index fewer to write. The sweeper finds expired leases among the running jobs, in job_at_work_idx.
drop index job_running_idx;
