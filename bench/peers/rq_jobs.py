"""Jobs that do nothing, through rq and back: two workers, each a process of its own.

usage: REDIS_URL=... rq_jobs.py <jobs> [SimpleWorker|Worker]

SimpleWorker, the default here, runs a job in its own process. Worker, the default of rq, forks one for each.

Prints one line of JSON. "seconds" is the time from before the one call that enqueues all jobs until the end of
the last one. Before it the workers wait at the queue, and a tenth as many jobs have gone through them.
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

# How often it is asked whether all are done.
LOOK = 0.2

PATIENCE = 300


def main(jobs: int, kind: str) -> None:
    url = os.environ["REDIS_URL"]
    # Whoever ends this ends the workers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    redis = Redis.from_url(url)
    queue = Queue(f"peer-{uuid.uuid4().hex}", connection=redis)
    with ExitStack() as stack:
        stack.callback(queue.delete)
        for _ in range(WORKERS):
            stack.enter_context(worker(url, queue.name, kind))
        until("the workers wait", lambda: len(Worker.all(queue=queue)) == WORKERS)
        work(redis, queue, max(jobs // 10, 1))
        seconds = work(redis, queue, jobs)
    print(json.dumps({"jobs": jobs, "seconds": round(seconds, 3), "worker": kind, "workers": WORKERS}))


@contextmanager
def worker(url: str, queue: str, kind: str):
    """As rq's command starts it. It says nothing of each job: ours does not, either."""
    command = [sys.executable, "-B", "-m", "rq.cli", "worker", "--quiet", "--url", url]
    command += ["--worker-class", f"rq.{kind}", queue]
    # It finds the job beside it.
    here = Path(__file__).parent
    process = subprocess.Popen(command, cwd=here, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def work(redis: Redis, queue: Queue, count: int) -> float:
    """How long so many took, in seconds. They are gone afterwards."""
    wanted = [Queue.prepare_data("rq_jobs.nothing", [str(uuid.uuid4())]) for _ in range(count)]
    begun = datetime.now(timezone.utc)
    ids = [job.id for job in queue.enqueue_many(wanted)]
    finished = queue.finished_job_registry
    until("the jobs are done", lambda: finished.get_job_count() == count)
    jobs = Job.fetch_many(ids, connection=redis)
    if not all(job and job.get_status(refresh=False) == JobStatus.FINISHED for job in jobs):
        sys.exit(f"not all of {count} jobs succeeded")
    seconds = (max(job.ended_at for job in jobs) - begun).total_seconds()
    for job in jobs:
        job.delete()
    return seconds


def nothing(source: str) -> None:
    """The job. It is given an id, as ours is."""


def until(what: str, probe) -> None:
    begun = time.monotonic()
    while not probe():
        if time.monotonic() - begun > PATIENCE:
            sys.exit(f"waited in vain: {what}")
        time.sleep(LOOK)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["SimpleWorker"], ["Worker"]):
        sys.exit(__doc__)
    main(int(sys.argv[1]), *(sys.argv[2:] or ["SimpleWorker"]))
