"""The services of docker-compose.yml as processes: its commands, environment and health checks, with the addresses and
folders of this machine. What belongs to containers alone (limits, users, a file system that is read-only) is left out.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import yaml

# ${NAME}, ${NAME:-default} or ${NAME:?what to do}, as Compose reads them.
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
UNITS = {"ms": 0.001, "s": 1, "m": 60}
# How often a health check is asked here: what waits for it need not wait for Docker's pace.
PACE = 0.2


class Compose:
    """The file, with what .env says put into it; and the image that it builds."""

    def __init__(self, root: Path, dotenv: dict[str, str]):
        self.dotenv = dotenv
        self.services = yaml.safe_load(interpolated((root / "docker-compose.yml").read_text(), dotenv))["services"]
        # The last stage is the image; a line that ends in a backslash goes on.
        stage = (root / "Dockerfile").read_text().replace("\\\n", " ").rsplit("\nFROM ", 1)[1]
        said = lambda word: re.findall(rf"^{word} (.*)$", stage, re.M)
        self.image = dict(pair.split("=", 1) for line in said("ENV") for pair in shlex.split(line))
        self.entrypoint = json.loads(said("ENTRYPOINT")[0])

    def process(self, name: str, service: str, program: str, here: dict[str, str], log: Path) -> "Process":
        """A process of a service; `here` says what stands for what in its settings and its health check."""
        described = self.services[service]
        assert described["env_file"] == ".env" and self.entrypoint == ["parlance"], described
        replaced = lambda text: swapped(str(text), here)
        settings = self.image | self.dotenv | described["environment"]
        settings = {name: replaced(value) for name, value in settings.items()}
        health = described["healthcheck"]
        probe = None
        if not health.get("disable"):
            kind, *words = health["test"]
            probe = [replaced(word) for word in (words if kind == "CMD" else ["sh", "-c", *words])]
        patience = seconds(health.get("start_period", "0s"))
        patience += health.get("retries", 0) * seconds(health.get("interval", "0s"))
        command = [program, *map(replaced, described["command"])]
        grace = seconds(described["stop_grace_period"])
        return Process(name, command, settings, probe, seconds(health.get("timeout", "1s")), patience, grace, log)


def interpolated(text: str, values: dict[str, str]) -> str:
    def value(found: re.Match) -> str:
        name, kind, rest = found.groups()
        if values.get(name):
            return values[name]
        assert kind == "-", f"docker-compose.yml wants {name}, and .env does not have it"
        return rest

    return VARIABLE.sub(value, text)


def swapped(text: str, here: dict[str, str]) -> str:
    for there, this in here.items():
        text = text.replace(there, this)
    return text


def seconds(duration: str) -> float:
    parts = re.fullmatch(r"(\d+)(ms|s|m)", duration)
    assert parts, f"what time is {duration}?"
    return int(parts[1]) * UNITS[parts[2]]


class Process:
    """One container's worth: started, asked whether it is well, told to stop."""

    def __init__(self, name, command, settings, probe, timeout, patience, grace, log):
        self.name, self.command, self.probe, self.timeout = name, command, probe, timeout
        self.patience, self.grace, self.log = patience, grace, log
        # A container inherits nothing.
        self.env = {"PATH": os.environ["PATH"]} | settings
        self.running: subprocess.Popen | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.running = subprocess.Popen(
                self.command, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.log.parent
            )

    def wait_until_healthy(self) -> None:
        """As `depends_on: service_healthy`, or a person with `docker compose ps`, waits for it."""
        begun = time.monotonic()
        while time.monotonic() - begun < self.patience:
            if self.running.poll() is not None:
                raise Wrong(f"{self.name} ended with {self.running.returncode} when it should have begun")
            try:
                asked = subprocess.run(self.probe, env=self.env, timeout=self.timeout, capture_output=True)
                if asked.returncode == 0:
                    return
            except subprocess.TimeoutExpired:
                pass
            time.sleep(PACE)
        raise Wrong(f"{self.name} was not healthy within {self.patience:.0f} s")

    def stop(self) -> float:
        """As `docker stop` does it; gives the seconds that it took. It must end well, and by itself."""
        begun = time.monotonic()
        self.running.send_signal(signal.SIGTERM)
        try:
            code = self.running.wait(self.grace)
        except subprocess.TimeoutExpired:
            raise Wrong(f"{self.name} still ran {self.grace:.0f} s after SIGTERM") from None
        if code != 0:
            raise Wrong(f"{self.name} ended with {code} after SIGTERM")
        return time.monotonic() - begun

    def end(self) -> None:
        """However it is."""
        if self.running and self.running.poll() is None:
            self.running.terminate()
            try:
                self.running.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        self.running.kill()
        self.running.wait()


class Wrong(Exception):
    """Something does not hold that must."""
