"""Whatever alerts, dashboard and autoscaling ask Prometheus is told by /metrics of a server that has done some work.

usage: metrics.py <parlance>     at the root of the repository
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
SOURCE = "${datasource}"
# What Prometheus adds to whatever it reads.
ADDED = {"job", "instance"}
# Their values are no words of ours.
FREE = {"status", "version", "le"}
PATIENCE = 60

problems: list[str] = []


def must(holds, problem: str) -> None:
    if not holds:
        problems.append(problem)


def main(parlance: str) -> None:
    board = json.loads(BOARD.read_text())
    asked = list(of_alerts()) + list(of_autoscaling()) + list(of_board(board))
    is_laid_out(board)
    with server(Path(parlance).absolute()) as (url, key):
        work(url, key)
        told = until("everything is told of", lambda: all_told(url, {name for _, _, n in asked for name, _ in n}))
    words = every_word()
    for where, labels, selectors in asked:
        known = set(ADDED)
        for name, matchers in selectors:
            must(name in told, f"{where}: /metrics does not tell {name}")
            known |= told.get(name, set())
            for label, values in matchers:
                must(name not in told or label in told[name] | ADDED, f"{where}: {name} has no label {label}")
                for value in values if label not in FREE else []:
                    must(value in words, f"{where}: {label} is never {value!r}")
        must(labels <= known, f"{where}: no labels: {sorted(labels - known)}")
    for problem in dict.fromkeys(problems):
        print(f"FAILED: {problem}")
    if problems:
        sys.exit(1)
    shown = {family(name) for where, _, selectors in asked if where.startswith(BOARD.name) for name, _ in selectors}
    for name in sorted({family(name) for name in told} - shown):
        print(f"not on the dashboard: {name}")
    print(f"ok: {len(asked)} queries ask for what /metrics tells")


# --- what is asked ------------------------------------------------------------------------------------

# Where it stands, the labels by which it is grouped or named, and the names with their matchers.
Asked = tuple[str, set[str], list[tuple[str, list[tuple[str, list[str]]]]]]


def of_alerts() -> Iterator[Asked]:
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        for rule in group["rules"]:
            texts = " ".join(rule["annotations"].values())
            named = set(re.findall(r"\$labels\.(\w+)", texts))
            yield query(f"{ALERTS.name}: {rule['alert']}", rule["expr"], named)


def of_autoscaling() -> Iterator[Asked]:
    for scaler in yaml.safe_load_all(AUTOSCALING.read_text()):
        for trigger in scaler["spec"]["triggers"]:
            yield query(f"{AUTOSCALING.name}: {scaler['metadata']['name']}", trigger["metadata"]["query"], set())


def of_board(board: dict) -> Iterator[Asked]:
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            named = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]))
            yield query(f"{BOARD.name}: {panel['title']}", re.sub(r"\$__\w+", "5m", target["expr"]), named)


def query(where: str, text: str, labels: set[str]) -> Asked:
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
    must(selectors, f"{where}: nothing is asked for")
    return where, labels, selectors


def is_laid_out(board: dict) -> None:
    """The dashboard shows on any Grafana: no data source of somebody's, nothing over or beside anything."""
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    must(variables.get("datasource", {}).get("query") == "prometheus", f"{BOARD.name}: no variable `datasource`")
    panels = board["panels"]
    must(len({panel["id"] for panel in panels}) == len(panels), f"{BOARD.name}: two panels have one id")
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        where, at = f"{BOARD.name}: {panel['title']}", panel["gridPos"]
        mine = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        must(not mine & cells and at["x"] + at["w"] <= 24, f"{where}: it lies over another, or outside")
        cells |= mine
        if panel["type"] != "row":
            must(panel.get("description"), f"{where}: no description")
            must(panel["fieldConfig"]["defaults"].get("unit"), f"{where}: no unit")
    must(set(re.findall(r'"datasource": \{[^}]*"uid": "([^"]*)"', json.dumps(board))) == {SOURCE},
         f"{BOARD.name}: a data source has a uid of its own")


# --- what is told -------------------------------------------------------------------------------------


def all_told(url: str, wanted: set[str]) -> dict[str, set[str]] | None:
    """Every name that /metrics tells, with its labels; `None` while something that is wanted may still come."""
    told = metrics(url)
    late = {"parlance_upkeep_found", "parlance_upkeep_age_seconds", "parlance_job_runs_total"}
    return told if wanted & late <= set(told) else None


def metrics(url: str) -> dict[str, set[str]]:
    told: dict[str, set[str]] = {}
    for line in request(f"{url}/metrics").decode().splitlines():
        if sample := re.match(r"(\w+)(?:\{(.*)\})? ", line):
            told.setdefault(sample[1], set()).update(re.findall(r'(\w+)="', sample[2] or ""))
    return told


def family(name: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", name)


def every_word() -> set[str]:
    """Every word that the code writes."""
    sources = [path for crate in ("api", "core") for path in Path(crate, "src").rglob("*.rs")]
    return {word for path in sources for word in re.findall(r'"([^"\s]+)"', path.read_text())}


@contextmanager
def server(parlance: Path) -> Iterator[tuple[str, dict[str, str]]]:
    if not parlance.exists():
        sys.exit(f"there is no {parlance}: run `cargo build` first")
    # Its own database, Redis, files and model, whatever is set outside.
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
    """A text is learnt and a question answered, so that each count has begun."""
    api = f"{url}/api/v1"
    bot = call(f"{api}/bots", key, {"name": "Shop", "channel_type": "api"})["id"]
    text = {"bot_id": bot, "name": "Returns", "source_type": "text", "content": "Goods may be returned within thirty days."}
    source = call(f"{api}/knowledge/sources", key, text)["id"]
    ready = lambda: call(f"{api}/knowledge/sources/{source}", key)["source"]["status"] == "ready"
    until("the source is ready", ready)
    question = {"bot_id": bot, "message": "Within how many days may goods be returned?"}
    call(f"{api}/conversations/one/messages", key, question)


def until(what: str, probe, process: subprocess.Popen | None = None):
    begun = time.monotonic()
    # The first start on a machine downloads.
    patience = PATIENCE if process is None else 10 * PATIENCE
    while time.monotonic() - begun < patience and (process is None or process.poll() is None):
        try:
            if found := probe():
                return found
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    sys.exit(f"waited in vain: {what}")


def request(url: str, headers: dict[str, str] = {}, body: bytes | None = None) -> bytes:
    # Through no proxy.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, data=body, headers=headers), timeout=PATIENCE) as answer:
        return answer.read()


def call(url: str, headers: dict[str, str], body=None):
    headers = headers | {"Content-Type": "application/json"}
    return json.loads(request(url, headers, None if body is None else json.dumps(body).encode()))["data"]


if __name__ == "__main__":
    main(*sys.argv[1:])
