"""Runs empty jobs through rq: two workers, each a process.

usage: REDIS_URL=... rq_jobs.py <jobs> [SimpleWorker|Worker]

SimpleWorker, the default here, runs jobs in its own process. Worker, rq's default, forks for each job.

Prints one line of JSON. "seconds" is the time from before the one call that enqueues all jobs until the end of
the last one. Before that the workers have started and run a tenth as many jobs as a warm-up.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from pathlib import Path

from redis import Redis
from rq import Queue, Worker
from rq.job import Job, JobStatus

WORKERS = 2

# Polling interval, in seconds.
POLL = 0.2

# Maximum wait, in seconds.
TIMEOUT = 300


def main(jobs: int, kind: str) -> None:
    url = os.environ["REDIS_URL"]
    # SIGTERM must run the exit handlers, which stop the workers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    redis = Redis.from_url(url)
    queue = Queue(f"peer-{uuid.uuid4().hex}", connection=redis)
    with ExitStack() as stack:
        stack.callback(queue.delete)
        for _ in range(WORKERS):
            stack.enter_context(worker(url, queue.name, kind))
        wait_until("the workers are ready", lambda: len(Worker.all(queue=queue)) == WORKERS)
        work(redis, queue, max(jobs // 10, 1))
        seconds = work(redis, queue, jobs)
    print(json.dumps({"jobs": jobs, "seconds": round(seconds, 3), "worker": kind, "workers": WORKERS}))


@contextmanager
def worker(url: str, queue: str, kind: str):
    """Starts a worker as rq's command does. Quiet: no log line per job, as in our worker."""
    command = [sys.executable, "-B", "-m", "rq.cli", "worker", "--quiet", "--url", url]
    command += ["--worker-class", f"rq.{kind}", queue]
    # The worker imports the job from this file's folder.
    here = Path(__file__).parent
    process = subprocess.Popen(command, cwd=here, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def work(redis: Redis, queue: Queue, count: int) -> float:
    """Runs `count` jobs and deletes them. Returns the seconds they took."""
    prepared = [Queue.prepare_data("rq_jobs.empty_job", [str(uuid.uuid4())]) for _ in range(count)]
    started = datetime.now(timezone.utc)
    ids = [job.id for job in queue.enqueue_many(prepared)]
    finished = queue.finished_job_registry
    wait_until("the jobs are done", lambda: finished.get_job_count() == count)
    jobs = Job.fetch_many(ids, connection=redis)
    if not all(job and job.get_status(refresh=False) == JobStatus.FINISHED for job in jobs):
        sys.exit(f"not all of {count} jobs succeeded")
    seconds = (max(job.ended_at for job in jobs) - started).total_seconds()
    for job in jobs:
        job.delete()
    return seconds


def empty_job(source: str) -> None:
    """The job. Takes an id, as ours does."""


def wait_until(condition: str, probe) -> None:
    started = time.monotonic()
    while not probe():
        if time.monotonic() - started > TIMEOUT:
            sys.exit(f"timed out waiting: {condition}")
        time.sleep(POLL)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["SimpleWorker"], ["Worker"]):
        sys.exit(__doc__)
    main(int(sys.argv[1]), *(sys.argv[2:] or ["SimpleWorker"]))
