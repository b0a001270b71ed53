"""File storage in a bucket: upload, extraction, download, deletion, and an outage of the bucket.

usage: check.py <parlance> <moto_server>
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from contextlib import ExitStack
from pathlib import Path

TIMEOUT = 60
TEXT = b"# Returns\n\nGoods may be returned within thirty days of purchase.\n"
BUCKET = "parlance-files"


def main(parlance: str, moto_server: str) -> None:
    parlance, moto_server = (str(Path(program).absolute()) for program in (parlance, moto_server))
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        s3 = f"http://127.0.0.1:{free_port()}"
        moto = start(stack, [moto_server, "-p", s3.rsplit(":", 1)[1]], work / "moto", {})
        until("moto answers", lambda: reachable(s3))
        request("PUT", f"{s3}/{BUCKET}")

        storage = {
            "STORAGE_URL": f"s3://{BUCKET}/some/prefix",
            "AWS_ENDPOINT_URL": s3,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }
        servers = work / "servers"
        start(stack, [parlance, "up", "--data-dir", str(servers), "--port", "0", "--no-demo"], work / "up", storage)
        up = until("the servers are up", lambda: json.loads((servers / "up.json").read_text()))
        api, key = up["url"] + "/api/v1", {"X-API-Key": up["api_key"]}

        bot = call("POST", f"{api}/bots", key, {"name": "Shop", "channel_type": "api"})["data"]["id"]
        source = upload(f"{api}/knowledge/upload", key, bot)
        assert len(keys(s3)) == 1, keys(s3)
        assert keys(s3)[0].startswith("some/prefix/"), keys(s3)
        path = f"{api}/knowledge/sources/{source}"
        until("the source is ready", lambda: status_of(path, key) == "ready")
        assert request("GET", f"{path}/file", key) == TEXT
        assert not (servers / "files").exists() or not any((servers / "files").rglob("*.*")), "a local file was written"

        # During an outage: a clear error, and nothing is lost.
        moto.terminate()
        moto.wait()
        code, body = failing("GET", f"{path}/file", key)
        assert (code, body["code"]) == (503, "unavailable"), (code, body)
        code, body = failing("GET", up["url"] + "/readyz", {})
        assert code == 503 and "storage" in json.dumps(body), (code, body)
        # moto keeps files in memory, so the new one is empty. Deleting a missing file must succeed.
        start(stack, [moto_server, "-p", s3.rsplit(":", 1)[1]], work / "moto", {})
        until("moto answers again", lambda: reachable(s3))
        request("PUT", f"{s3}/{BUCKET}")
        code, body = failing("GET", f"{path}/file", key)
        assert code == 404, (code, body)
        another = upload(f"{api}/knowledge/upload", key, bot, TEXT + b"And shoes within sixty.\n")
        until("the second source is ready", lambda: status_of(f"{api}/knowledge/sources/{another}", key) == "ready")
        assert len(keys(s3)) == 1, keys(s3)
        call("DELETE", f"{api}/knowledge/sources/{another}", key)
        call("DELETE", path, key)
        until("its file is deleted", lambda: not keys(s3))
    print("ok: files are stored in the bucket and nowhere else")


def start(stack: ExitStack, command: list[str], log: Path, settings: dict[str, str]) -> subprocess.Popen:
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    out = stack.enter_context(log.open("ab"))
    process = subprocess.Popen(command, env=inherited | settings, stdout=out, stderr=out, cwd=log.parent)

    def stop() -> None:
        if process.poll() is None:
            process.terminate()
            process.wait(30)

    stack.callback(stop)
    return process


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def reachable(url: str) -> bool:
    try:
        request("GET", url)
        return True
    except OSError:
        return False


def until(what: str, probe):
    started = time.monotonic()
    while time.monotonic() - started < TIMEOUT:
        try:
            if found := probe():
                return found
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    sys.exit(f"timed out: {what}")


def request(method: str, url: str, headers: dict[str, str] = {}, body: bytes | None = None) -> bytes:
    message = urllib.request.Request(url, data=body, method=method, headers=headers)
    with urllib.request.urlopen(message, timeout=TIMEOUT) as response:
        return response.read()


def call(method: str, url: str, headers: dict[str, str], body=None) -> dict:
    if body is not None:
        headers = headers | {"Content-Type": "application/json"}
    return json.loads(request(method, url, headers, None if body is None else json.dumps(body).encode()))


def failing(method: str, url: str, headers: dict[str, str]) -> tuple[int, dict]:
    try:
        request(method, url, headers)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
    sys.exit(f"{method} {url} did not fail")


def upload(url: str, headers: dict[str, str], bot: str, text: bytes = TEXT) -> str:
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="bot_id"\r\n\r\n{bot}\r\n'.encode(),
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="shop.md"\r\n\r\n'.encode() + text + b"\r\n",
        f"--{boundary}--\r\n".encode(),
    ]
    headers = headers | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return json.loads(request("POST", url, headers, b"".join(parts)))["data"]["id"]


def status_of(path: str, key: dict[str, str]) -> str:
    return call("GET", path, key)["data"]["source"]["status"]


def keys(s3: str) -> list[str]:
    listing = request("GET", f"{s3}/{BUCKET}?list-type=2").decode()
    return [part.split("</Key>")[0] for part in listing.split("<Key>")[1:]]


main(*sys.argv[1:])
