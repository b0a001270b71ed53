"""Failover of Postgres and of Redis under load.

A Postgres primary with a synchronous standby, a Redis master with a replica and three Sentinels, two APIs and three
workers behind HAProxy. The primary is killed and its standby promoted; then the Redis master is killed, and Sentinel
promotes the replica. Clients repeat a failed request with its Idempotency-Key, as documented. Nothing that was
acknowledged may be lost or doubled; the longest time without a success of each kind of request is printed.

usage: check.py PARLANCE PARLANCE_OLD HAPROXY REDIS_SERVER POSTGRES_BIN     (in the root of the repository)
"""

import http.client
import itertools
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter, defaultdict
from contextlib import ExitStack
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / ".ci/rolling.d"))
from compose import CheckFailed, Compose, free_ports  # noqa: E402
from load import MATTERS, Client, RequestFailed, text  # noqa: E402

PASSWORD = "secret"
TIMEOUT = 120
# Seconds of load before, between and after the two failovers.
CALM = 10
# Seconds before a customer repeats a failed request.
PAUSE = 0.2


def main(parlance: str, old: str, haproxy: str, redis_server: str, postgres: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parlance, old, haproxy, redis_server = (str(Path(one).absolute()) for one in (parlance, old, haproxy, redis_server))
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # Postgres does not run as root.
        work.chmod(0o755)
        try:
            check(stack, work, parlance, old, haproxy, redis_server, Path(postgres))
        except CheckFailed as failure:
            print(f"FAILED: {failure}")
            for log in sorted(work.glob("*.log")):
                print(f"-- {log.name}", *log.read_text(errors="replace").splitlines()[-15:], sep="\n")
            if keep := os.environ.get("KEEP"): shutil.copytree(work, keep, ignore=shutil.ignore_patterns("data", "opt", "*.sock"), dirs_exist_ok=True)
            sys.exit(1)


def check(stack, work: Path, parlance: str, old: str, haproxy: str, redis_server: str, postgres: Path) -> None:
    ports = iter(free_ports(20))
    stable = {name: f"127.0.0.1:{next(ports)}" for name in ("POSTGRES", "REDIS", "BIND")}
    primary, standby = (PostgresServer(stack, work, postgres, name, next(ports)) for name in ("primary", "standby"))
    primary.create()
    standby.follow(primary)
    redis = Redis(stack, work, redis_server, ports)
    api_ports = [next(ports), next(ports)]
    addresses = stable | {"SOCKET": str(work / "haproxy.sock")}
    addresses |= {"POSTGRES_1": primary.address, "POSTGRES_2": standby.address}
    addresses |= {"REDIS_1": redis.addresses[0], "REDIS_2": redis.addresses[1]}
    addresses |= {f"API_{number}": f"127.0.0.1:{port}" for number, port in enumerate(api_ports, 1)}
    config = ROOT / ".ci/failover.d/haproxy.cfg"
    run(stack, [haproxy, "-db", "-f", str(config)], work / "haproxy.log", addresses)

    dotenv = {"POSTGRES_PASSWORD": PASSWORD, "REDIS_PASSWORD": PASSWORD, "RUST_LOG": "warn", "RATE_LIMIT_PER_SECOND": "0"}
    compose = Compose(ROOT, dotenv)
    subprocess.run([parlance, "fetch", "--into", str(work / "opt")], check=True, stdout=subprocess.DEVNULL)
    (work / "lib").mkdir()
    local = {
        "@postgres:5432": f"@{stable['POSTGRES']}",
        f":{PASSWORD}@redis:6379": f"@{stable['REDIS']}",
        "/opt/parlance": str(work / "opt"),
        "/var/lib/parlance": str(work / "lib"),
    }

    def process(name: str, service: str, port: int, program: str):
        own = {f"{host}:{there}": f"127.0.0.1:{port}" for host in ("0.0.0.0", "127.0.0.1") for there in (8080, 9090)}
        started = compose.process(name, service, program, own | local, work / f"{name}.log")
        stack.callback(started.end)
        return started

    migrate = process("migrate", "migrate", next(ports), parlance)
    migrate.start()
    if migrate.running.wait(TIMEOUT) != 0:
        raise CheckFailed("migrate failed")
    # One process of each role is of the other release.
    apis = [process(f"api-{one}", "api", port, program) for one, port, program in zip("12", api_ports, (parlance, old))]
    workers = [
        process("worker-ingest-1", "worker-ingest", next(ports), parlance),
        process("worker-ingest-2", "worker-ingest", next(ports), old),
        process("worker-embed", "worker-embed", next(ports), parlance),
    ]
    for one in apis + workers:
        one.start()
    for one in apis + workers:
        one.wait_until_healthy()

    def operator(*words: str) -> str:
        ran = subprocess.run([parlance, *words], env=apis[0].env, capture_output=True, text=True, cwd=work)
        if ran.returncode != 0:
            raise CheckFailed(f"parlance {' '.join(words)}: {ran.stdout}{ran.stderr}")
        return ran.stdout

    created = operator("tenant", "create", "--name", "Failover", "--plan", "enterprise")
    key = next(line.split()[-1] for line in created.splitlines() if line.startswith("api key"))
    host, port = stable["BIND"].split(":")
    clients = lambda: Client((host, int(port)), key, keep_alive=False)
    client = clients()
    until("HAProxy has found the APIs", lambda: client.call("GET", "/bots") == [])
    bots = [client.send("POST", "/bots", {"name": name, "channel_type": "api"})["id"] for name in ("Questions", "Uploads")]
    for number in range(MATTERS):
        client.upload(bots[0], f"matter-{number}.md", text(number))
    operator("job", "drain", "--timeout", str(TIMEOUT))
    releases = "two releases" if old != parlance else "one release"
    print(f"2 APIs and 3 workers of {releases} are up", flush=True)

    load = Load(clients, *bots)
    load.start()
    time.sleep(CALM)
    load.mark("Postgres")
    primary.kill()
    standby.promote()
    haproxy_command(work, "set server postgres/primary state maint", "set server postgres/standby state ready")
    time.sleep(CALM * 2)
    load.mark("Redis")
    redis.kill_master()
    time.sleep(CALM * 2)
    load.stop()

    operator("job", "drain", "--timeout", str(TIMEOUT))
    load.report()
    with psycopg.connect(f"postgres://parlance:{PASSWORD}@{standby.address}/parlance") as db:
        nothing_is_lost(load, client, bots, db)


def nothing_is_lost(load: "Load", client: Client, bots: list[str], db: psycopg.Connection) -> None:
    stored = Counter(source["name"] for source in client.pages(f"/knowledge/sources?bot_id={bots[1]}"))
    expected = Counter(f"matter-{number}.md" for number in load.uploaded)
    if stored != expected:
        raise CheckFailed(f"lost: {expected - stored}; doubled or unknown: {stored - expected}")
    states = dict(db.execute("select state, count(*) from job group by state").fetchall())
    if set(states) != {"succeeded"}:
        raise CheckFailed(f"not all jobs succeeded: {states}")
    odd = db.execute("""
        select source.id from source
        left join chunk on chunk.source_id = source.id and chunk.version = source.live_version
        left join chunk_vector on chunk_vector.chunk_id = chunk.id
        group by source.id
        having count(distinct chunk.ordinal) <> source.live_chunks or count(chunk_vector.chunk_id) <> source.live_chunks
    """).fetchall()
    if odd:
        raise CheckFailed(f"sources with wrong chunk counts: {odd}")
    for session, times in load.messages.items():
        messages = client.call("GET", f"/conversations/{session}")["messages"]
        if len(messages) != 2 * times:
            raise CheckFailed(f"{session} got {times} answers but has {len(messages)} messages")
    attempts = db.execute("select count(*) from job where attempt > 1").fetchone()[0]
    print(
        f"ok: {len(load.uploaded)} texts, {sum(load.messages.values())} answers and {states['succeeded']} jobs, none lost "
        f"or doubled; {attempts} jobs took a second attempt"
    )


class PostgresServer:
    def __init__(self, stack: ExitStack, work: Path, programs: Path, name: str, port: int):
        self.stack, self.programs, self.name, self.port = stack, programs, name, port
        self.address = f"127.0.0.1:{port}"
        # Not in a home folder of root, which the server's user cannot read.
        self.folder = work / name
        self.folder.mkdir()
        self.user = "nobody" if os.geteuid() == 0 else None
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self.data, self.log = self.folder / "data", work / f"{name}.log"
        self.running: subprocess.Popen | None = None

    def program(self, name: str, *words: str) -> None:
        ran = subprocess.run(
            [self.programs / name, *words], user=self.user, cwd=self.folder, capture_output=True, text=True
        )
        if ran.returncode != 0:
            raise CheckFailed(f"{name}: {ran.stdout}{ran.stderr}")

    def create(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        words = ["-U", "parlance", "-A", "scram-sha-256", "--pwfile", str(password), "--locale=C", "-E", "UTF8"]
        self.program("initdb", "-D", str(self.data), *words)
        with (self.data / "pg_hba.conf").open("a") as hba:
            hba.write("host replication all 127.0.0.1/32 scram-sha-256\n")
        # Commits wait for the standby, so that acknowledged writes survive the loss of the primary.
        self.start("-c", "synchronous_standby_names=*")
        with psycopg.connect(f"postgres://parlance:{PASSWORD}@{self.address}/postgres", autocommit=True) as db:
            # There is no standby yet.
            db.execute("set synchronous_commit = local")
            db.execute("create database parlance")

    def follow(self, primary: "PostgresServer") -> None:
        """Becomes the primary's standby: copies its folder as a base backup, then streams."""
        url = f"postgres://parlance:{PASSWORD}@{primary.address}/postgres"
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("set synchronous_commit = local")
            db.execute("select pg_backup_start('standby', true)")
            subprocess.run(["cp", "-a", str(primary.data), str(self.data)], check=True)
            label = db.execute("select labelfile from pg_backup_stop(false)").fetchone()[0]
            (self.data / "backup_label").write_text(label)
            for name in ("postmaster.pid", "postmaster.opts"):
                (self.data / name).unlink(missing_ok=True)
            shutil.rmtree(self.data / "pg_wal")
            (self.data / "pg_wal/archive_status").mkdir(parents=True)
            (self.data / "standby.signal").touch()
            if self.user:
                subprocess.run(["chown", "-R", self.user, str(self.data)], check=True)
            source = f"host=127.0.0.1 port={primary.port} user=parlance password={PASSWORD}"
            self.start("-c", f"primary_conninfo={source}")
            streams = "select count(*) > 0 from pg_stat_replication where sync_state = 'sync'"
            until("the standby streams", lambda: db.execute(streams).fetchone()[0])

    def start(self, *settings: str) -> None:
        common = ["-c", f"port={self.port}", "-c", "listen_addresses=127.0.0.1", "-c", "wal_keep_size=1GB"]
        common += ["-c", "max_connections=300", "-c", f"unix_socket_directories={self.folder}"]
        out = self.stack.enter_context(self.log.open("ab"))
        self.running = subprocess.Popen(
            [self.programs / "postgres", "-D", str(self.data), *common, *settings],
            user=self.user, cwd=self.folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
        )
        self.stack.callback(self.kill)
        url = f"postgres://parlance:{PASSWORD}@{self.address}/postgres"
        until(f"{self.name} responds", lambda: psycopg.connect(url, connect_timeout=1).close() is None)

    def kill(self) -> None:
        """Ends the server without a final checkpoint, as in a power failure."""
        if self.running and self.running.poll() is None:
            self.running.send_signal(signal.SIGQUIT)
            self.running.wait(30)

    def promote(self) -> None:
        self.program("pg_ctl", "promote", "-D", str(self.data))


class Redis:
    """A master, a replica, and three Sentinels."""

    def __init__(self, stack: ExitStack, work: Path, program: str, ports):
        ports = [next(ports) for _ in range(5)]
        self.addresses = [f"127.0.0.1:{port}" for port in ports[:2]]
        common = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(work)]
        self.master = run(stack, [program, "--port", str(ports[0]), *common], work / "redis-1.log", {})
        replica = [program, "--port", str(ports[1]), *common, "--replicaof", "127.0.0.1", str(ports[0])]
        run(stack, replica, work / "redis-2.log", {})
        for number, port in enumerate(ports[2:], 1):
            config = work / f"sentinel-{number}.conf"
            config.write_text(
                f"port {port}\nbind 127.0.0.1\ndir {work}\n"
                f"sentinel monitor parlance 127.0.0.1 {ports[0]} 2\n"
                "sentinel down-after-milliseconds parlance 2000\n"
                "sentinel failover-timeout parlance 10000\n"
            )
            run(stack, [program, str(config), "--sentinel"], work / f"sentinel-{number}.log", {})
        until("the replica follows", lambda: b"role:slave" in self.info(1) and b"master_link_status:up" in self.info(1))

    def info(self, number: int) -> bytes:
        host, port = self.addresses[number].split(":")
        with socket.create_connection((host, int(port)), 1) as connection:
            connection.sendall(b"INFO replication\r\nQUIT\r\n")
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def kill_master(self) -> None:
        self.master.kill()


class Load:
    """Customers that repeat a failed request with its Idempotency-Key until it succeeds."""

    def __init__(self, clients, question_bot: str, upload_bot: str):
        self.clients, self.question_bot, self.upload_bot = clients, question_bot, upload_bot
        self.stopping, self.lock = threading.Event(), threading.Lock()
        self.uploaded: list[int] = []
        self.messages: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        # Times of the successes of each kind, and of the failovers.
        self.successes: dict[str, list[float]] = defaultdict(list)
        self.marks: list[tuple[str, float]] = []
        self.numbers = itertools.count(MATTERS)
        roles = [self.talk] * 4 + [self.upload] * 3 + [self.list] * 3
        self.threads = [threading.Thread(target=self.repeat, args=role, daemon=True) for role in enumerate(roles)]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Stops the customers after their current requests have succeeded."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(TIMEOUT)
            if thread.is_alive():
                raise CheckFailed(f"a customer has no answer: {self.failures}")

    def mark(self, what: str) -> None:
        self.marks.append((what, time.monotonic()))

    def repeat(self, number: int, role) -> None:
        client = self.clients()
        for turn in itertools.count():
            if self.stopping.is_set():
                return
            role(client, number, turn)
            with self.lock:
                self.successes[role.__name__].append(time.monotonic())
            time.sleep(0.05)

    def insist(self, client: Client, request):
        """Repeats a request until it succeeds. A 4xx other than 409 and 429 fails the check."""
        while True:
            try:
                return request()
            except (RequestFailed, OSError, http.client.HTTPException, json.JSONDecodeError) as failure:
                client.close()
                name = str(failure)[:200] if isinstance(failure, RequestFailed) else type(failure).__name__
                with self.lock:
                    self.failures[name] += 1
                if name.startswith("4") and not name.startswith(("409", "429")):
                    raise CheckFailed(f"refused: {failure}") from None
            time.sleep(PAUSE)

    def talk(self, client: Client, number: int, turn: int) -> None:
        session, name = f"talk-{number}-{turn // 10}", uuid.uuid4().hex
        body = {"bot_id": self.question_bot, "message": f"Which office settles matter {turn % MATTERS}?"}
        path = f"/conversations/{session}/messages"
        answer = self.insist(client, lambda: client.send("POST", path, body, Idempotency_Key=name))
        if not answer["bot_response"]["message"]:
            raise CheckFailed(f"no answer: {answer}")
        with self.lock:
            self.messages[session] += 1

    def upload(self, client: Client, number: int, turn: int) -> None:
        with self.lock:
            matter = next(self.numbers)
        file, name = f"matter-{matter}.md", uuid.uuid4().hex
        self.insist(client, lambda: client.upload(self.upload_bot, file, text(matter), Idempotency_Key=name))
        with self.lock:
            self.uploaded.append(matter)
        time.sleep(0.3)

    def list(self, client: Client, number: int, turn: int) -> None:
        self.insist(client, lambda: client.call("GET", "/bots?per_page=100"))

    def report(self) -> None:
        """Prints the longest time without a success around each failover."""
        print(f"failed attempts: {dict(self.failures)}")
        for (what, begin), end in zip(self.marks, [at for _, at in self.marks[1:]] + [time.monotonic()]):
            for kind, times in sorted(self.successes.items()):
                around = [at for at in times if begin - 2 < at < end]
                gaps = [later - earlier for earlier, later in itertools.pairwise(around)]
                print(f"failover of {what}: {kind:8} longest pause {max(gaps, default=float('nan')):5.1f} s", flush=True)


def haproxy_command(work: Path, *commands: str) -> None:
    for command in commands:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(work / "haproxy.sock"))
            connection.sendall(f"{command}\n".encode())
            answer = connection.recv(65536).decode().strip()
            if answer:
                raise CheckFailed(f"{command}: {answer}")


def run(stack: ExitStack, command: list[str], log: Path, settings: dict[str, str]) -> subprocess.Popen:
    out = stack.enter_context(log.open("ab"))
    process = subprocess.Popen(
        command, env=os.environ | settings, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=log.parent
    )

    def stop() -> None:
        if process.poll() is None:
            process.kill()
        process.wait(30)

    stack.callback(stop)
    return process


def until(what: str, probe):
    started = time.monotonic()
    while time.monotonic() - started < TIMEOUT:
        try:
            if found := probe():
                return found
        except (OSError, psycopg.OperationalError, RequestFailed):
            pass
        time.sleep(0.1)
    raise CheckFailed(f"timed out: {what}")


if __name__ == "__main__":
    main(*sys.argv[1:])
