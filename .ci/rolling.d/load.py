"""Load generator: simulated customers, each sequential and without retries. Failed requests are recorded."""

import http.client
import itertools
import json
import threading
import time
import uuid
from collections import Counter

from compose import CheckFailed

# Seconds between the requests of a customer. Lists have no pause, so that every moment of a restart sees requests;
# uploads are no faster than ingestion.
PAUSES = {"list": 0, "talk": 0.05, "stream": 0, "upload": 0.4, "watch": 0.4}
# Messages per conversation.
CONVERSATION_MESSAGES = 10
TIMEOUT = 60
# Number of texts ingested before the load starts; questions are about these.
MATTERS = 10


class Client:
    """HTTP client of the load balancer, with one keep-alive connection or a new connection per request."""

    def __init__(self, address: tuple[str, int], key: str, keep_alive: bool):
        self.address, self.key, self.keep_alive = address, key, keep_alive
        self.connection: http.client.HTTPConnection | None = None
        # Id of the last event of the last stream.
        self.last_event: str | None = None

    def open(self, method: str, path: str, body: bytes | None = None, **headers: str) -> http.client.HTTPResponse:
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address, timeout=TIMEOUT)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if not self.keep_alive:
            headers["Connection"] = "close"
        self.connection.request(method, "/api/v1" + path, body, headers | {"X-API-Key": self.key})
        response = self.connection.getresponse()
        if not 200 <= response.status < 300:
            raise RequestFailed(f"{response.status} {response.read()[:300]!r}")
        return response

    def close(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str):
        """Returns the data of a successful response."""
        try:
            envelope = json.loads(self.open(method, path, body, **headers).read())
        except BaseException:
            self.close()
            raise
        if not self.keep_alive:
            self.close()
        if envelope.get("success") is not True:
            raise RequestFailed(f"no success: {envelope}")
        return envelope["data"]

    def send(self, method: str, path: str, body: dict, **headers: str):
        return self.call(method, path, json.dumps(body).encode(), Content_Type="application/json", **headers)

    def upload(self, bot: str, name: str, text: str, **headers: str) -> dict:
        boundary = uuid.uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="bot_id"\r\n\r\n{bot}\r\n',
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n{text}\r\n',
            f"--{boundary}--\r\n",
        ]
        kind = f"multipart/form-data; boundary={boundary}"
        return self.call("POST", "/knowledge/upload", "".join(parts).encode(), Content_Type=kind, **headers)

    def events(self, method: str, path: str, body: bytes | None = None, **headers: str) -> list[tuple[str, dict]]:
        """Reads a stream to its end and returns its events."""
        try:
            response = self.open(method, path, body, Accept="text/event-stream", **headers)
            text = response.read().decode()
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
        """Returns all items of a paginated list."""
        found: list[dict] = []
        while len(more := self.call("GET", f"{path}&per_page=100&page={1 + len(found) // 100}")) == 100:
            found += more
        return found + more


class RequestFailed(CheckFailed):
    """A request without a valid response."""


def new_name() -> str:
    return uuid.uuid4().hex


class Load:
    """All customers, and the results of their requests."""

    def __init__(self, clients, question_bot: str, upload_bot: str):
        self.question_bot, self.upload_bot = question_bot, upload_bot
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.started = time.monotonic()
        self.done: list[tuple[float, str]] = []
        self.failed: list[str] = []
        # Expected final state: uploaded texts, and messages per conversation.
        self.uploaded: list[int] = []
        self.messages: Counter[str] = Counter()
        self.incidents: list[tuple[float, str]] = []
        self.numbers = itertools.count(MATTERS)
        roles = [self.talk, self.upload] * 2 + [self.list] * 8 + [self.stream, self.watch]
        # Half of each role use keep-alive.
        clients = [clients(keep_alive=number % 4 > 1) for number in range(len(roles))]
        self.threads = [
            threading.Thread(target=self.repeat, args=(role, client, number), daemon=True)
            for number, (role, client) in enumerate(zip(roles, clients))
        ]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Waits for the running requests."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(2 * TIMEOUT)

    def record(self, incident: str) -> None:
        """Records an incident that may explain a failure."""
        self.incidents.append((self.now(), incident))

    def now(self) -> float:
        return time.monotonic() - self.started

    def repeat(self, role, client: Client, number: int) -> None:
        turn = 0
        while not self.stopping.is_set():
            started, kind = self.now(), role.__name__ + (" with keep-alive" if client.keep_alive else "")
            try:
                role(client, number, turn)
                with self.lock:
                    self.done.append((self.now() - started, kind))
            except Exception as error:
                client.close()
                incidents = [f"{self.now() - at:.3f} s after {what}" for at, what in self.incidents[-2:]]
                with self.lock:
                    self.failed.append(
                        f"{kind}, after {self.now() - started:.3f} s: {type(error).__name__} {error} ({', '.join(incidents)})"
                    )
            turn += 1
            time.sleep(PAUSES[role.__name__])

    def talk(self, client: Client, number: int, turn: int) -> None:
        session = f"talk-{number}-{turn // CONVERSATION_MESSAGES}"
        body = {"bot_id": self.question_bot, "message": f"Which office settles matter {turn % MATTERS}?"}
        path = f"/conversations/{session}/messages"
        answer = client.send("POST", path, body, Idempotency_Key=new_name())["bot_response"]
        must(answer["message"] and not answer["degraded"], f"not answered by the model: {answer}")
        self.count_message(session)

    def stream(self, client: Client, number: int, turn: int) -> None:
        """Streams an answer that takes eight seconds, so that a stopping API always has one to finish."""
        session = f"stream-{number}-{turn // CONVERSATION_MESSAGES}"
        question = {"bot_id": self.question_bot, "message": f"Slowly: which office settles matter {turn % MATTERS}?"}
        path, body = f"/conversations/{session}/messages", json.dumps(question).encode()
        events = client.events("POST", path, body, Content_Type="application/json")
        must(events and events[-1][0] == "bot_response", f"incomplete stream: {[name for name, _ in events]}")
        answer, deltas = events[-1][1], "".join(data["text"] for name, data in events if name == "delta")
        must(not answer["degraded"] and answer["message"] == deltas, f"the answer differs from its deltas: {deltas!r}, {answer}")
        self.count_message(session)

    def list(self, client: Client, number: int, turn: int) -> None:
        bots = client.call("GET", "/bots?per_page=100")
        must(len(json.dumps(bots)) > 100, f"no bots: {bots}")

    def upload(self, client: Client, number: int, turn: int) -> None:
        self.upload_next(client)

    def watch(self, client: Client, number: int, turn: int) -> None:
        """Uploads and follows the job to its end. A stopping API ends its streams; like an EventSource, the client reconnects
        with the id of the last event."""
        job = self.upload_next(client)["job_id"]
        events = client.events("GET", f"/jobs/{job}/events")
        started = time.monotonic()
        while events and events[-1][1].get("state") in ("queued", "dispatched", "running"):
            must(time.monotonic() - started < TIMEOUT, f"the job does not finish: {events[-1]}")
            events = client.events("GET", f"/jobs/{job}/events", Last_Event_ID=client.last_event)
        must(events and events[-1][0] == "job", f"incomplete stream: {[name for name, _ in events]}")
        must(events[-1][1]["state"] == "succeeded", f"the job did not succeed: {events[-1]}")

    def upload_next(self, client: Client) -> dict:
        with self.lock:
            number = next(self.numbers)
        source = client.upload(self.upload_bot, f"matter-{number}.md", text(number), Idempotency_Key=new_name())
        must(not source["duplicate"], f"a duplicate: {source}")
        with self.lock:
            self.uploaded.append(number)
        return source

    def count_message(self, session: str) -> None:
        with self.lock:
            self.messages[session] += 1


def text(number: int) -> str:
    """A small, unique text."""
    rules = (
        f"Rule {rule} says that matter {number} is settled by office {rule * 7 % 90} within {rule + 2} days."
        for rule in range(4 + number % 30)
    )
    return f"# Matter {number}\n\n" + "\n\n".join(rules) + "\n"


def must(holds, problem: str) -> None:
    if not holds:
        raise RequestFailed(problem)
