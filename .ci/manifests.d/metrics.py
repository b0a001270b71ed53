"""Checks that /metrics of a server that has done some work provides every metric used by alerts, dashboard and autoscaling.

usage: metrics.py <parlance>     (in the root of the repository)
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import promql_parser
import yaml

ALERTS = Path("deploy/prometheus/alerts.yml")
BOARD = Path("deploy/grafana/parlance.json")
AUTOSCALING = Path("deploy/kubernetes/autoscaling.yaml")
DATASOURCE = "${datasource}"
# Labels added by Prometheus.
ADDED = {"job", "instance"}
# Labels whose values are not literals in our code.
FREE = {"status", "version", "le"}
TIMEOUT = 60

problems: list[str] = []


def must(holds, problem: str) -> None:
    if not holds:
        problems.append(problem)


def main(parlance: str) -> None:
    board = json.loads(BOARD.read_text())
    queries = list(alert_queries()) + list(autoscaling_queries()) + list(board_queries(board))
    check_layout(board)
    with server(Path(parlance).absolute()) as (url, key):
        work(url, key)
        metrics = until("all metrics are present", lambda: all_metrics(url, {name for _, _, n in queries for name, _ in n}))
    literals = string_literals()
    for where, labels, selectors in queries:
        known = set(ADDED)
        for name, matchers in selectors:
            must(name in metrics, f"{where}: unknown metric {name}")
            known |= metrics.get(name, set())
            for label, values in matchers:
                must(name not in metrics or label in metrics[name] | ADDED, f"{where}: {name} has no label {label}")
                for value in values if label not in FREE else []:
                    must(value in literals, f"{where}: {label} is never {value!r}")
        must(labels <= known, f"{where}: unknown labels: {sorted(labels - known)}")
    for problem in dict.fromkeys(problems):
        print(f"FAILED: {problem}")
    if problems:
        sys.exit(1)
    shown = {family(name) for where, _, selectors in queries if where.startswith(BOARD.name) for name, _ in selectors}
    for name in sorted({family(name) for name in metrics} - shown):
        print(f"not on the dashboard: {name}")
    print(f"ok: {len(queries)} queries match /metrics")


# --- queries ------------------------------------------------------------------------------------------

# Location, labels used for grouping and legends, and metric names with their matchers.
Query = tuple[str, set[str], list[tuple[str, list[tuple[str, list[str]]]]]]


def alert_queries() -> Iterator[Query]:
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        for rule in group["rules"]:
            texts = " ".join(rule["annotations"].values())
            named = set(re.findall(r"\$labels\.(\w+)", texts))
            yield query(f"{ALERTS.name}: {rule['alert']}", rule["expr"], named)


def autoscaling_queries() -> Iterator[Query]:
    for scaler in yaml.safe_load_all(AUTOSCALING.read_text()):
        for trigger in scaler["spec"]["triggers"]:
            yield query(f"{AUTOSCALING.name}: {scaler['metadata']['name']}", trigger["metadata"]["query"], set())


def board_queries(board: dict) -> Iterator[Query]:
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            named = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]))
            yield query(f"{BOARD.name}: {panel['title']}", re.sub(r"\$__\w+", "5m", target["expr"]), named)


def query(where: str, text: str, labels: set[str]) -> Query:
    selectors: list[tuple[str, list[tuple[str, list[str]]]]] = []

    def visit(node) -> None:
        modifier = getattr(node, "modifier", None)
        matching = getattr(modifier, "matching", None)
        labels.update(getattr(modifier, "labels", []), getattr(matching, "labels", []))
        labels.update(getattr(modifier, "group_labels", None) or [])
        selector = getattr(node, "vector_selector", node)
        if isinstance(selector, promql_parser.VectorSelector):
            matchers = [(m.name, m.value.split("|")) for m in selector.matchers.matchers]
            selectors.append((selector.name, matchers))

    try:
        promql_parser.walk(promql_parser.parse(text), visit)
    except ValueError as error:
        must(False, f"{where}: {error}")
        return where, set(), []
    must(selectors, f"{where}: no metric in the query")
    return where, labels, selectors


def check_layout(board: dict) -> None:
    """Checks that the dashboard works on any Grafana: variable data source, no overlapping panels."""
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    must(variables.get("datasource", {}).get("query") == "prometheus", f"{BOARD.name}: no variable `datasource`")
    panels = board["panels"]
    must(len({panel["id"] for panel in panels}) == len(panels), f"{BOARD.name}: duplicate panel ids")
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        where, at = f"{BOARD.name}: {panel['title']}", panel["gridPos"]
        mine = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        must(not mine & cells and at["x"] + at["w"] <= 24, f"{where}: overlaps another panel or the edge")
        cells |= mine
        if panel["type"] != "row":
            must(panel.get("description"), f"{where}: no description")
            must(panel["fieldConfig"]["defaults"].get("unit"), f"{where}: no unit")
    must(set(re.findall(r'"datasource": \{[^}]*"uid": "([^"]*)"', json.dumps(board))) == {DATASOURCE},
         f"{BOARD.name}: a panel has a fixed data source")


# --- metrics ------------------------------------------------------------------------------------------


def all_metrics(url: str, wanted: set[str]) -> dict[str, set[str]] | None:
    """All metric names with their labels; `None` while a wanted one is still missing."""
    found = read_metrics(url)
    late = {"parlance_upkeep_found", "parlance_upkeep_age_seconds", "parlance_job_runs_total"}
    return found if wanted & late <= set(found) else None


def read_metrics(url: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in request(f"{url}/metrics").decode().splitlines():
        if sample := re.match(r"(\w+)(?:\{(.*)\})? ", line):
            found.setdefault(sample[1], set()).update(re.findall(r'(\w+)="', sample[2] or ""))
    return found


def family(name: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", name)


def string_literals() -> set[str]:
    """All string literals without spaces in the code."""
    sources = [path for crate in ("api", "core") for path in Path(crate, "src").rglob("*.rs")]
    return {word for path in sources for word in re.findall(r'"([^"\s]+)"', path.read_text())}


@contextmanager
def server(parlance: Path) -> Iterator[tuple[str, dict[str, str]]]:
    if not parlance.exists():
        sys.exit(f"{parlance} is missing: run `cargo build` first")
    # Private database, Redis, files and model, regardless of the environment.
    ours = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", Path(".env.example").read_text(), re.M)) - {"PARLANCE_CACHE_DIR"}
    env = {name: value for name, value in os.environ.items() if name not in ours}
    with tempfile.TemporaryDirectory() as folder, Path(folder, "log").open("wb") as log:
        data = Path(folder, "data")
        command = [parlance, "up", "--data-dir", data, "--port", "0", "--no-demo"]
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
        try:
            up = until("the server is up", lambda: json.loads((data / "up.json").read_text()), process)
            yield up["url"], {"X-API-Key": up["api_key"]}
        except SystemExit:
            print(Path(folder, "log").read_text()[-2000:])
            raise
        finally:
            process.terminate()
            process.wait(40)


def work(url: str, key: dict[str, str]) -> None:
    """Ingests a text and asks a question, so that every metric has a value."""
    api = f"{url}/api/v1"
    bot = call(f"{api}/bots", key, {"name": "Shop", "channel_type": "api"})["id"]
    text = {"bot_id": bot, "name": "Returns", "source_type": "text", "content": "Goods may be returned within thirty days."}
    source = call(f"{api}/knowledge/sources", key, text)["id"]
    ready = lambda: call(f"{api}/knowledge/sources/{source}", key)["source"]["status"] == "ready"
    until("the source is ready", ready)
    question = {"bot_id": bot, "message": "Within how many days may goods be returned?"}
    call(f"{api}/conversations/one/messages", key, question)


def until(what: str, probe, process: subprocess.Popen | None = None):
    started = time.monotonic()
    # The first start on a machine downloads packages.
    limit = TIMEOUT if process is None else 10 * TIMEOUT
    while time.monotonic() - started < limit and (process is None or process.poll() is None):
        try:
            if found := probe():
                return found
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    sys.exit(f"timed out: {what}")


def request(url: str, headers: dict[str, str] = {}, body: bytes | None = None) -> bytes:
    # Bypass proxies.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, data=body, headers=headers), timeout=TIMEOUT) as response:
        return response.read()


def call(url: str, headers: dict[str, str], body=None):
    headers = headers | {"Content-Type": "application/json"}
    return json.loads(request(url, headers, None if body is None else json.dumps(body).encode()))["data"]


if __name__ == "__main__":
    main(*sys.argv[1:])
