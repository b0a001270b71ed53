"""A rolling restart under load, of what docker-compose.yml runs: two APIs behind a balancer, two workers that read and
one that embeds. Each API is restarted twice and each worker once, by SIGTERM, and one worker is killed at its work.
No request fails, nobody tries one twice, and nothing that was given is lost or doubled.

usage: check.py <parlance> <haproxy>     at the root of the repository
"""

import csv
import io
import json
import os
import random
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
from compose import Compose, Process, Wrong
from load import MATTERS, Client, Load, text

PATIENCE = 60
STARTED = time.monotonic()


def main(parlance: str, haproxy: str) -> None:
    # So that what was started is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parlance, haproxy = (str(Path(program).absolute()) for program in (parlance, haproxy))
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            check(stack, work, parlance, haproxy)
        except Wrong as wrong:
            print(f"WRONG: {wrong}")
            show_logs(work)
            sys.exit(1)


def check(stack: ExitStack, work: Path, parlance: str, haproxy: str) -> None:
    ports = free_ports(8)
    up = servers(stack, work, parlance)
    database, redis = urlsplit(up["database_url"]), urlsplit(up["redis_url"])
    # Beside what `up` serves itself, so that its workers have nothing to do.
    with psycopg.connect(up["database_url"], autocommit=True) as owner:
        owner.execute("create database rolling")
    db = stack.enter_context(psycopg.connect(database._replace(path="/rolling").geturl(), autocommit=True))

    dotenv = {"POSTGRES_PASSWORD": database.password, "REDIS_PASSWORD": redis.password}
    dotenv |= {"LLM_MODEL": "test", "LLM_BASE_URL": model(stack), "RUST_LOG": "warn"}
    # One key asks as fast as it can.
    dotenv |= {"RATE_LIMIT_PER_SECOND": "0"}
    compose = Compose(Path.cwd(), dotenv)
    # What the image has at /opt/parlance is fetched as the image's build does it.
    subprocess.run([parlance, "fetch", "--into", str(work / "opt")], check=True, stdout=subprocess.DEVNULL)
    (work / "lib").mkdir()
    here = {
        "@postgres:5432/parlance": f"@127.0.0.1:{database.port}/rolling",
        "@redis:6379": f"@127.0.0.1:{redis.port}/1",
        "/opt/parlance": str(work / "opt"),
        "/var/lib/parlance": str(work / "lib"),
    }

    def process(name: str, service: str, port: int) -> Process:
        own = {f"{host}:{there}": f"127.0.0.1:{port}" for host in ("0.0.0.0", "127.0.0.1") for there in (8080, 9090)}
        made = compose.process(name, service, parlance, own | here, work / f"{name}.log")
        stack.callback(made.end)
        return made

    migrate = process("migrate", "migrate", ports[0])
    migrate.start()
    if migrate.running.wait(PATIENCE) != 0:
        raise Wrong("migrate failed")
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
        """What a command says, given as `docker compose run --rm api` would run it."""
        ran = subprocess.run([parlance, *words], env=apis[0].env, capture_output=True, text=True, cwd=work)
        if ran.returncode != 0:
            raise Wrong(f"parlance {' '.join(words)}: {ran.stdout}{ran.stderr}")
        return ran.stdout

    clients = lambda key, keeps: Client(("127.0.0.1", ports[6]), key, keeps)
    key = new_tenant(operator, "Rolling")
    client = clients(key, keeps=False)
    known, taught = (new_bot(client, name) for name in ("Known", "Taught"))
    for number in range(MATTERS):
        client.upload(known, f"matter-{number}.md", text(number))
    settled(operator, client, known)
    print(f"all is up and calm ({elapsed()})", flush=True)

    load = Load(lambda keeps: clients(key, keeps), known, taught)
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
        raise Wrong(f"{len(load.failed)} of {len(load.failed) + len(load.done)} requests failed")
    print(f"{len(ends)} restarts, and {len(load.done)} requests of which none failed ({elapsed()})", flush=True)

    # Another tenant, who knows nothing yet: what a tenant knows already is not embedded again.
    calm = clients(new_tenant(operator, "Calm"), keeps=False)
    nothing_is_lost(load, operator, client, calm, db)
    ends += [one.stop() for one in apis + workers]
    for kind in sorted({kind for _, kind in load.done}):
        times = [took for took, which in load.done if which == kind]
        print(f"{len(times):6} x {kind}, the slowest in {max(times):.2f} s")
    print(
        f"ok: {len(load.done)} requests, {len(load.given)} texts and {sum(load.said.values())} messages, none of them "
        f"failed, lost or doubled; {len(ends)} processes ended well, in {max(ends):.1f} s at most ({elapsed()})"
    )


def roll_apis(load: Load, balancer: "Balancer", apis: list[Process]) -> list[float]:
    """Restarts each, one after the other, twice. Gives how long each took to end."""
    ends = []
    for _ in range(2):
        for api in apis:
            ends.append(restart(load, api))
            balancer.wait_until_up(api.name)
    return ends


def roll_workers(load: Load, db: psycopg.Connection, workers: list[Process]) -> list[float]:
    """Restarts each, one after the other; then kills the last at its work, and has its job done in its next life."""
    ends = [restart(load, worker) for worker in workers]
    doomed = workers[-1]
    job = kill_at_work(db, doomed)
    load.tell(f"SIGKILL to {doomed.name}")
    doomed.start()
    doomed.wait_until_healthy()
    asked = "select state = 'succeeded', attempt from job where id = %s"
    until("the job of the killed worker has succeeded", lambda: row(db, asked, job)[0])
    print(f"the job that {doomed.name} was at when it was killed succeeded in try {row(db, asked, job)[1]}", flush=True)
    return ends


def restart(load: Load, one: Process) -> float:
    load.tell(f"SIGTERM to {one.name}")
    took = one.stop()
    load.tell(f"the end of {one.name}, which took {took:.2f} s")
    one.start()
    one.wait_until_healthy()
    return took


def kill_at_work(db: psycopg.Connection, worker: Process):
    """Kills a worker while it has a job; gives that job."""
    its = """
        select job.id from job join worker on worker.id = job.worker_id
        where job.state = 'running' and worker.name like %s || '/%%'
    """
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE:
        if found := db.execute(its, [str(worker.running.pid)]).fetchone():
            worker.kill()
            # It may have ended between the look and the kill; then another time.
            if found := row(db, "select id from job where id = %s and state = 'running'", found[0]):
                return found[0]
            worker.start()
            worker.wait_until_healthy()
        time.sleep(0.005)
    raise Wrong(f"{worker.name} had nothing to do")


def nothing_is_lost(load: Load, operator, client: Client, calm: Client, db: psycopg.Connection) -> None:
    kept = settled(operator, client, load.taught)
    if sorted(kept) != sorted(load.given):
        raise Wrong(f"not the texts that were given: {sorted(set(kept) ^ set(load.given))}")
    another = new_bot(calm, "Calm")
    for number in load.given:
        calm.upload(another, f"matter-{number}.md", text(number))
    then = settled(operator, calm, another)
    if kept != then:
        raise Wrong(f"other chunks than when all is calm (text, chunks): {kept.items() ^ then.items()}")
    print(f"{len(kept)} texts have {sum(kept.values())} chunks, as when all is calm ({elapsed()})", flush=True)

    # What the API says is there is there, once, and can be found by its meaning.
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
        raise Wrong(f"sources whose chunks are not those that they say: {odd}")
    states = dict(db.execute("select state, count(*) from job group by state").fetchall())
    if set(states) != {"succeeded"}:
        raise Wrong(f"the jobs are {states}")
    for session, times in load.said.items():
        messages = client.call("GET", f"/conversations/{session}")["messages"]
        if len(messages) != 2 * times:
            raise Wrong(f"{session} was spoken to {times} times, and has {len(messages)} messages")
    print(f"{states['succeeded']} jobs, all of which succeeded ({elapsed()})", flush=True)


def new_tenant(operator, name: str) -> str:
    """Its key."""
    made = operator("tenant", "create", "--name", name, "--plan", "enterprise")
    return next(line.split()[-1] for line in made.splitlines() if line.startswith("api key"))


def new_bot(client: Client, name: str) -> str:
    return client.send("POST", "/bots", {"name": name, "channel_type": "api"})["id"]


def settled(operator, client: Client, bot: str) -> dict[int, int]:
    """The chunks of each text that a bot knows, when its jobs have ended."""
    operator("job", "drain", "--timeout", str(PATIENCE))
    known: dict[int, int] = {}
    for source in client.pages(f"/knowledge/sources?bot_id={bot}"):
        number = int(source["name"].removeprefix("matter-").removesuffix(".md"))
        if source["status"] != "ready" or number in known:
            raise Wrong(f"not ready, or there twice: {source}")
        known[number] = source["chunk_count"]
    return known


class Balancer:
    """HAProxy, as haproxy.cfg has it."""

    def __init__(self, stack: ExitStack, work: Path, haproxy: str, port: int, apis: list[int]):
        self.socket = work / "haproxy.sock"
        settings = {"SOCKET": str(self.socket), "BIND": f"127.0.0.1:{port}"}
        settings |= {f"API_{number}": f"127.0.0.1:{api}" for number, api in enumerate(apis, 1)}
        config = Path(__file__).absolute().with_name("haproxy.cfg")
        start(stack, [haproxy, "-db", "-f", str(config)], work / "haproxy.log", settings)

    def wait_until_up(self, server: str) -> None:
        """As whoever restarts one after the other must wait, before the next."""
        until(f"HAProxy finds {server} ready", lambda: self.status(server) == "UP")

    def status(self, server: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(b"show stat\n")
            said = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        rows = csv.DictReader(io.StringIO(said.removeprefix("# ")))
        return next(row["status"] for row in rows if row["svname"] == server)


def servers(stack: ExitStack, work: Path, parlance: str) -> dict:
    """A private Postgres and Redis: `up` has them."""
    start(stack, [parlance, "up", "--data-dir", str(work / "up"), "--port", "0", "--no-demo"], work / "up.log", {})
    return until("the servers are up", lambda: json.loads((work / "up/up.json").read_text()))


def model(stack: ExitStack) -> str:
    """A language model: says a few words, and takes eight seconds for them when it is asked slowly."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            slowly = "Slowly" in asked["messages"][-1]["content"]
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

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
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


def free_ports(count: int) -> list[int]:
    """Ports below those that connections take by themselves: one that is left for a moment is not taken meanwhile."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as server:
            try:
                server.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def row(db: psycopg.Connection, statement: str, *values):
    return db.execute(statement, values).fetchone()


def until(what: str, probe):
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE:
        try:
            if found := probe():
                return found
        except (OSError, ValueError, StopIteration):
            pass
        time.sleep(0.1)
    raise Wrong(f"waited in vain: {what}")


def show_logs(work: Path) -> None:
    """The last lines of every process, and of the balancer those of requests that did not go well."""
    for log in sorted(work.glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()
        if log.name == "haproxy.log":
            lines = [line for line in lines if " customers " in line and " ---- " not in line]
        print(f"-- {log.name}", *lines[-15:], sep="\n")


def elapsed() -> str:
    return f"{time.monotonic() - STARTED:.0f} s"


main(*sys.argv[1:])
