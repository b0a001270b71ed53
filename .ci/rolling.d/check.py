"""Rolling restart of the services of docker-compose.yml under load: two APIs behind a load balancer, two ingest workers and
one embedding worker. Each API is restarted twice and each worker once with SIGTERM, and one worker is killed while it runs
a job. No request may fail (clients do not retry), and no data may be lost or duplicated.

usage: check.py <parlance> <haproxy>     (in the root of the repository)
"""

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from compose import CheckFailed, Compose, Process, free_ports
from load import MATTERS, Client, Load, text

TIMEOUT = 60
STARTED = time.monotonic()


def main(parlance: str, haproxy: str) -> None:
    # Exit normally, so that the ExitStack stops all processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parlance, haproxy = (str(Path(program).absolute()) for program in (parlance, haproxy))
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            check(stack, work, parlance, haproxy)
        except CheckFailed as failure:
            print(f"FAILED: {failure}")
            show_logs(work)
            sys.exit(1)


def check(stack: ExitStack, work: Path, parlance: str, haproxy: str) -> None:
    ports = free_ports(8)
    up = servers(stack, work, parlance)
    database, redis = urlsplit(up["database_url"]), urlsplit(up["redis_url"])
    # A separate database, so that the workers of `up` stay idle.
    with psycopg.connect(up["database_url"], autocommit=True) as owner:
        owner.execute("create database rolling")
    db = stack.enter_context(psycopg.connect(database._replace(path="/rolling").geturl(), autocommit=True))

    dotenv = {"POSTGRES_PASSWORD": database.password, "REDIS_PASSWORD": redis.password}
    dotenv |= {"LLM_MODEL": "test", "LLM_BASE_URL": model(stack), "RUST_LOG": "warn"}
    # All requests use one key.
    dotenv |= {"RATE_LIMIT_PER_SECOND": "0"}
    compose = Compose(Path.cwd(), dotenv)
    # The content of /opt/parlance, fetched as in the Dockerfile.
    subprocess.run([parlance, "fetch", "--into", str(work / "opt")], check=True, stdout=subprocess.DEVNULL)
    (work / "lib").mkdir()
    local = {
        "@postgres:5432/parlance": f"@127.0.0.1:{database.port}/rolling",
        "@redis:6379": f"@127.0.0.1:{redis.port}/1",
        "/opt/parlance": str(work / "opt"),
        "/var/lib/parlance": str(work / "lib"),
    }

    def process(name: str, service: str, port: int) -> Process:
        own = {f"{host}:{there}": f"127.0.0.1:{port}" for host in ("0.0.0.0", "127.0.0.1") for there in (8080, 9090)}
        started = compose.process(name, service, parlance, own | local, work / f"{name}.log")
        stack.callback(started.end)
        return started

    migrate = process("migrate", "migrate", ports[0])
    migrate.start()
    if migrate.running.wait(TIMEOUT) != 0:
        raise CheckFailed("migrate failed")
    apis = [process(f"api-{number}", "api", ports[number]) for number in (1, 2)]
    workers = [process(f"worker-ingest-{number}", "worker-ingest", ports[2 + number]) for number in (1, 2)]
    workers.append(process("worker-embed", "worker-embed", ports[5]))
    for one in apis + workers:
        one.start()
    for one in apis + workers:
        one.wait_until_healthy()
    balancer = Balancer(stack, work, haproxy, ports[6], ports[1:3])
    for api in apis:
        balancer.wait_until_up(api.name)

    def operator(*words: str) -> str:
        """Runs a command like `docker compose run --rm api` and returns its output."""
        ran = subprocess.run([parlance, *words], env=apis[0].env, capture_output=True, text=True, cwd=work)
        if ran.returncode != 0:
            raise CheckFailed(f"parlance {' '.join(words)}: {ran.stdout}{ran.stderr}")
        return ran.stdout

    clients = lambda key, keep_alive: Client(("127.0.0.1", ports[6]), key, keep_alive)
    key = new_tenant(operator, "Rolling")
    client = clients(key, keep_alive=False)
    question_bot, upload_bot = (new_bot(client, name) for name in ("Questions", "Uploads"))
    for number in range(MATTERS):
        client.upload(question_bot, f"matter-{number}.md", text(number))
    ingested(operator, client, question_bot)
    print(f"all services are up and idle ({elapsed()})", flush=True)

    load = Load(lambda keep_alive: clients(key, keep_alive), question_bot, upload_bot)
    load.start()
    try:
        time.sleep(2)
        with ThreadPoolExecutor() as pool:
            rolls = [pool.submit(roll_apis, load, balancer, apis), pool.submit(roll_workers, load, db, workers)]
        ends = [took for roll in rolls for took in roll.result()]
        time.sleep(2)
    finally:
        load.stop()
        for failure in load.failed[:20]:
            print(failure)
    if load.failed:
        raise CheckFailed(f"{len(load.failed)} of {len(load.failed) + len(load.done)} requests failed")
    print(f"{len(ends)} restarts, {len(load.done)} requests, no failures ({elapsed()})", flush=True)

    # Another tenant, because a tenant does not embed identical chunks twice.
    calm = clients(new_tenant(operator, "Calm"), keep_alive=False)
    nothing_is_lost(load, operator, client, calm, db)
    ends += [one.stop() for one in apis + workers]
    for kind in sorted({kind for _, kind in load.done}):
        times = [took for took, which in load.done if which == kind]
        print(f"{len(times):6} x {kind}, slowest {max(times):.2f} s")
    print(
        f"ok: {len(load.done)} requests, {len(load.uploaded)} texts and {sum(load.messages.values())} messages, none "
        f"failed, lost or duplicated; {len(ends)} processes stopped, in at most {max(ends):.1f} s ({elapsed()})"
    )


def roll_apis(load: Load, balancer: "Balancer", apis: list[Process]) -> list[float]:
    """Restarts the APIs one after the other, twice. Returns the stop times in seconds."""
    ends = []
    for _ in range(2):
        for api in apis:
            ends.append(restart(load, api))
            balancer.wait_until_up(api.name)
    return ends


def roll_workers(load: Load, db: psycopg.Connection, workers: list[Process]) -> list[float]:
    """Restarts the workers one after the other, then kills the last one during a job, which must succeed after its restart."""
    ends = [restart(load, worker) for worker in workers]
    doomed = workers[-1]
    job = kill_at_work(db, doomed)
    load.record(f"SIGKILL to {doomed.name}")
    doomed.start()
    doomed.wait_until_healthy()
    query = "select state = 'succeeded', attempt from job where id = %s"
    until("the job of the killed worker has succeeded", lambda: row(db, query, job)[0])
    print(f"the job of the killed {doomed.name} succeeded in attempt {row(db, query, job)[1]}", flush=True)
    return ends


def restart(load: Load, one: Process) -> float:
    load.record(f"SIGTERM to {one.name}")
    took = one.stop()
    load.record(f"the exit of {one.name} after {took:.2f} s")
    one.start()
    one.wait_until_healthy()
    return took


def kill_at_work(db: psycopg.Connection, worker: Process):
    """Kills a worker while it runs a job. Returns the job id."""
    running_job = """
        select job.id from job join worker on worker.id = job.worker_id
        where job.state = 'running' and worker.name like %s || '/%%'
    """
    started = time.monotonic()
    while time.monotonic() - started < TIMEOUT:
        if found := db.execute(running_job, [str(worker.running.pid)]).fetchone():
            worker.kill()
            # The job may have finished before the kill: then try again.
            if found := row(db, "select id from job where id = %s and state = 'running'", found[0]):
                return found[0]
            worker.start()
            worker.wait_until_healthy()
        time.sleep(0.005)
    raise CheckFailed(f"{worker.name} had no job to run")


def nothing_is_lost(load: Load, operator, client: Client, calm: Client, db: psycopg.Connection) -> None:
    kept = ingested(operator, client, load.upload_bot)
    if sorted(kept) != sorted(load.uploaded):
        raise CheckFailed(f"the stored texts differ from the uploaded ones: {sorted(set(kept) ^ set(load.uploaded))}")
    another = new_bot(calm, "Calm")
    for number in load.uploaded:
        calm.upload(another, f"matter-{number}.md", text(number))
    undisturbed = ingested(operator, calm, another)
    if kept != undisturbed:
        raise CheckFailed(f"chunk counts differ from an undisturbed run: {kept.items() ^ undisturbed.items()}")
    print(f"{len(kept)} texts have {sum(kept.values())} chunks, as in an undisturbed run ({elapsed()})", flush=True)

    # Every chunk counted by the API exists exactly once and has a vector.
    odd = db.execute("""
        select source.id
        from source
        left join chunk on chunk.source_id = source.id and chunk.version = source.live_version
        left join chunk_vector on chunk_vector.chunk_id = chunk.id
        group by source.id
        having count(chunk.id) <> source.live_chunks
            or count(distinct chunk.ordinal) <> source.live_chunks
            or count(chunk_vector.chunk_id) <> source.live_chunks
    """).fetchall()
    if odd:
        raise CheckFailed(f"sources with wrong chunk counts: {odd}")
    states = dict(db.execute("select state, count(*) from job group by state").fetchall())
    if set(states) != {"succeeded"}:
        raise CheckFailed(f"not all jobs succeeded: {states}")
    for session, times in load.messages.items():
        messages = client.call("GET", f"/conversations/{session}")["messages"]
        if len(messages) != 2 * times:
            raise CheckFailed(f"{session} got {times} questions but has {len(messages)} messages")
    print(f"{states['succeeded']} jobs, all succeeded ({elapsed()})", flush=True)


def new_tenant(operator, name: str) -> str:
    """Creates a tenant and returns its key."""
    created = operator("tenant", "create", "--name", name, "--plan", "enterprise")
    return next(line.split()[-1] for line in created.splitlines() if line.startswith("api key"))


def new_bot(client: Client, name: str) -> str:
    return client.send("POST", "/bots", {"name": name, "channel_type": "api"})["id"]


def ingested(operator, client: Client, bot: str) -> dict[int, int]:
    """Waits for all jobs and returns the chunk count of each text of a bot."""
    operator("job", "drain", "--timeout", str(TIMEOUT))
    known: dict[int, int] = {}
    for source in client.pages(f"/knowledge/sources?bot_id={bot}"):
        number = int(source["name"].removeprefix("matter-").removesuffix(".md"))
        if source["status"] != "ready" or number in known:
            raise CheckFailed(f"not ready, or duplicated: {source}")
        known[number] = source["chunk_count"]
    return known


class Balancer:
    """HAProxy with haproxy.cfg."""

    def __init__(self, stack: ExitStack, work: Path, haproxy: str, port: int, apis: list[int]):
        self.socket = work / "haproxy.sock"
        settings = {"SOCKET": str(self.socket), "BIND": f"127.0.0.1:{port}"}
        settings |= {f"API_{number}": f"127.0.0.1:{api}" for number, api in enumerate(apis, 1)}
        config = Path(__file__).absolute().with_name("haproxy.cfg")
        start(stack, [haproxy, "-db", "-f", str(config)], work / "haproxy.log", settings)

    def wait_until_up(self, server: str) -> None:
        """Waits until HAProxy routes to the server again, as any rolling restart must."""
        until(f"HAProxy reports {server} as up", lambda: self.status(server) == "UP")

    def status(self, server: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(b"show stat\n")
            stats = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        rows = csv.DictReader(io.StringIO(stats.removeprefix("# ")))
        return next(row["status"] for row in rows if row["svname"] == server)


def servers(stack: ExitStack, work: Path, parlance: str) -> dict:
    """Starts a private Postgres and Redis with `parlance up`."""
    start(stack, [parlance, "up", "--data-dir", str(work / "up"), "--port", "0", "--no-demo"], work / "up.log", {})
    return until("the servers are up", lambda: json.loads((work / "up/up.json").read_text()))


def model(stack: ExitStack) -> str:
    """Serves a scripted language model. Prompts with "Slowly" take eight seconds."""

    class ChatHandler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            slowly = "Slowly" in request["messages"][-1]["content"]
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for number in range(40 if slowly else 5):
                if slowly:
                    time.sleep(0.2)
                word = {"choices": [{"index": 0, "delta": {"content": f"word {number} "}}]}
                self.wfile.write(f"data: {json.dumps(word)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), ChatHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stack.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}/v1/"


def start(stack: ExitStack, command: list[str], log: Path, settings: dict[str, str]) -> None:
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    out = stack.enter_context(log.open("ab"))
    process = subprocess.Popen(
        command, env=inherited | settings, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=log.parent
    )

    def stop() -> None:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()

    stack.callback(stop)


def row(db: psycopg.Connection, statement: str, *values):
    return db.execute(statement, values).fetchone()


def until(what: str, probe):
    started = time.monotonic()
    while time.monotonic() - started < TIMEOUT:
        try:
            if found := probe():
                return found
        except (OSError, ValueError, StopIteration):
            pass
        time.sleep(0.1)
    raise CheckFailed(f"timed out: {what}")


def show_logs(work: Path) -> None:
    """Prints the last log lines of every process; for HAProxy, those of failed requests."""
    for log in sorted(work.glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()
        if log.name == "haproxy.log":
            lines = [line for line in lines if " customers " in line and " ---- " not in line]
        print(f"-- {log.name}", *lines[-15:], sep="\n")


def elapsed() -> str:
    return f"{time.monotonic() - STARTED:.0f} s"


main(*sys.argv[1:])
