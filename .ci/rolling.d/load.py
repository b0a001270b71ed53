"""Customers: each asks again and again, alone, and tries nothing twice. What is not answered rightly is kept."""

import http.client
import itertools
import json
import threading
import time
import uuid
from collections import Counter

from compose import Wrong

# The seconds between a customer's requests. Lists are asked for without a pause, so that there are requests at every
# moment of a restart; uploads no faster than they can be read.
PAUSES = {"list": 0, "talk": 0.05, "stream": 0, "upload": 0.4, "watch": 0.4}
# A conversation is this long, and then another begins.
CONVERSATION = 10
PATIENCE = 60
# What customers ask about: as many texts are known before.
MATTERS = 10


class Client:
    """Requests to the balancer, by one connection that is kept or by a fresh one each."""

    def __init__(self, address: tuple[str, int], key: str, keeps: bool):
        self.address, self.key, self.keeps = address, key, keeps
        self.connection: http.client.HTTPConnection | None = None
        # The id of the last event of the last stream.
        self.last_event: str | None = None

    def open(self, method: str, path: str, body: bytes | None = None, **headers: str) -> http.client.HTTPResponse:
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if not self.keeps:
            headers["Connection"] = "close"
        self.connection.request(method, "/api/v1" + path, body, headers | {"X-API-Key": self.key})
        answer = self.connection.getresponse()
        if not 200 <= answer.status < 300:
            raise Unanswered(f"{answer.status} {answer.read()[:300]!r}")
        return answer

    def close(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str):
        """The data of an answer; its envelope must say that it is a success."""
        try:
            said = json.loads(self.open(method, path, body, **headers).read())
        except BaseException:
            self.close()
            raise
        if not self.keeps:
            self.close()
        if said.get("success") is not True:
            raise Unanswered(f"no success: {said}")
        return said["data"]

    def send(self, method: str, path: str, body: dict, **headers: str):
        return self.call(method, path, json.dumps(body).encode(), Content_Type="application/json", **headers)

    def upload(self, bot: str, name: str, text: str, **headers: str) -> dict:
        edge = uuid.uuid4().hex
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="bot_id"\r\n\r\n{bot}\r\n',
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n{text}\r\n',
            f"--{edge}--\r\n",
        ]
        kind = f"multipart/form-data; boundary={edge}"
        return self.call("POST", "/knowledge/upload", "".join(parts).encode(), Content_Type=kind, **headers)

    def events(self, method: str, path: str, body: bytes | None = None, **headers: str) -> list[tuple[str, dict]]:
        """Every event of a stream, read to its end."""
        try:
            answer = self.open(method, path, body, Accept="text/event-stream", **headers)
            text = answer.read().decode()
        finally:
            self.close()
        found = []
        for event in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line)
            if "event" in fields:
                found.append((fields["event"], json.loads(fields["data"])))
                self.last_event = fields.get("id")
        return found

    def pages(self, path: str) -> list[dict]:
        """Everything that a list has."""
        found: list[dict] = []
        while len(more := self.call("GET", f"{path}&per_page=100&page={1 + len(found) // 100}")) == 100:
            found += more
        return found + more


class Unanswered(Wrong):
    """An answer that is none."""


def new_name() -> str:
    return uuid.uuid4().hex


class Load:
    """All customers, and what became of their requests."""

    def __init__(self, clients, known: str, taught: str):
        # The bots that are asked, and taught.
        self.known, self.taught = known, taught
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.begun = time.monotonic()
        self.done: list[tuple[float, str]] = []
        self.failed: list[str] = []
        # What must be there when all is over: the texts, and how often each conversation was spoken to.
        self.given: list[int] = []
        self.said: Counter[str] = Counter()
        self.news: list[tuple[float, str]] = []
        self.numbers = itertools.count(MATTERS)
        roles = [self.talk, self.upload] * 2 + [self.list] * 8 + [self.stream, self.watch]
        # Half of each keep their connection.
        clients = [clients(keeps=number % 4 > 1) for number in range(len(roles))]
        self.threads = [
            threading.Thread(target=self.repeat, args=(role, client, number), daemon=True)
            for number, (role, client) in enumerate(zip(roles, clients))
        ]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Every request that has begun ends."""
        self.over.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE)

    def tell(self, news: str) -> None:
        """Something that may explain a failure."""
        self.news.append((self.now(), news))

    def now(self) -> float:
        return time.monotonic() - self.begun

    def repeat(self, role, client: Client, number: int) -> None:
        turn = 0
        while not self.over.is_set():
            begun, kind = self.now(), role.__name__ + (" on a kept connection" if client.keeps else "")
            try:
                role(client, number, turn)
                with self.lock:
                    self.done.append((self.now() - begun, kind))
            except Exception as error:
                client.close()
                news = [f"{self.now() - at:.3f} s after {what}" for at, what in self.news[-2:]]
                with self.lock:
                    self.failed.append(
                        f"{kind}, after {self.now() - begun:.3f} s: {type(error).__name__} {error} ({', '.join(news)})"
                    )
            turn += 1
            time.sleep(PAUSES[role.__name__])

    def talk(self, client: Client, number: int, turn: int) -> None:
        session = f"talk-{number}-{turn // CONVERSATION}"
        asked = {"bot_id": self.known, "message": f"Which office settles matter {turn % MATTERS}?"}
        path = f"/conversations/{session}/messages"
        answer = client.send("POST", path, asked, Idempotency_Key=new_name())["bot_response"]
        must(answer["message"] and not answer["degraded"], f"no answer of the model: {answer}")
        self.was_said(session)

    def stream(self, client: Client, number: int, turn: int) -> None:
        """Takes eight seconds, one after the other: there is always one, and an API that ends has it to finish."""
        session = f"stream-{number}-{turn // CONVERSATION}"
        asked = {"bot_id": self.known, "message": f"Slowly: which office settles matter {turn % MATTERS}?"}
        path, body = f"/conversations/{session}/messages", json.dumps(asked).encode()
        events = client.events("POST", path, body, Content_Type="application/json")
        must(events and events[-1][0] == "bot_response", f"the stream broke off: {[name for name, _ in events]}")
        answer, deltas = events[-1][1], "".join(data["text"] for name, data in events if name == "delta")
        must(not answer["degraded"] and answer["message"] == deltas, f"not what was told: {deltas!r}, {answer}")
        self.was_said(session)

    def list(self, client: Client, number: int, turn: int) -> None:
        bots = client.call("GET", "/bots?per_page=100")
        must(len(json.dumps(bots)) > 100, f"no bots: {bots}")

    def upload(self, client: Client, number: int, turn: int) -> None:
        self.upload_next(client)

    def watch(self, client: Client, number: int, turn: int) -> None:
        """Uploads, and listens until the job has ended. A process that leaves ends its streams: as every EventSource
        does, the client comes back with the id of the last event."""
        job = self.upload_next(client)["job_id"]
        events = client.events("GET", f"/jobs/{job}/events")
        begun = time.monotonic()
        while events and events[-1][1].get("state") in ("queued", "dispatched", "running"):
            must(time.monotonic() - begun < PATIENCE, f"the job does not end: {events[-1]}")
            events = client.events("GET", f"/jobs/{job}/events", Last_Event_ID=client.last_event)
        must(events and events[-1][0] == "job", f"the stream broke off: {[name for name, _ in events]}")
        must(events[-1][1]["state"] == "succeeded", f"the job did not succeed: {events[-1]}")

    def upload_next(self, client: Client) -> dict:
        with self.lock:
            number = next(self.numbers)
        made = client.upload(self.taught, f"matter-{number}.md", text(number), Idempotency_Key=new_name())
        must(not made["duplicate"], f"a duplicate: {made}")
        with self.lock:
            self.given.append(number)
        return made

    def was_said(self, session: str) -> None:
        with self.lock:
            self.said[session] += 1


def text(number: int) -> str:
    """A small text, none like another."""
    rules = (
        f"Rule {rule} says that matter {number} is settled by office {rule * 7 % 90} within {rule + 2} days."
        for rule in range(4 + number % 30)
    )
    return f"# Matter {number}\n\n" + "\n\n".join(rules) + "\n"


def must(holds, problem: str) -> None:
    if not holds:
        raise Unanswered(problem)
