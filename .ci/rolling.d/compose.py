"""Runs the services of docker-compose.yml as processes: commands, environment and health checks, with local addresses and
folders. Container features (limits, users, read-only file systems) are left out.
"""

import json
import os
import random
import re
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

import yaml

# ${NAME}, ${NAME:-default} or ${NAME:?what to do}, as Compose reads them.
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
UNITS = {"ms": 0.001, "s": 1, "m": 60}
# Interval of health checks in seconds. Shorter than in docker-compose.yml, to save time.
HEALTH_INTERVAL = 0.2


class Compose:
    """docker-compose.yml with .env interpolated, and the image it builds."""

    def __init__(self, root: Path, dotenv: dict[str, str]):
        self.dotenv = dotenv
        self.services = yaml.safe_load(interpolated((root / "docker-compose.yml").read_text(), dotenv))["services"]
        # The last stage is the image. Join continued lines.
        stage = (root / "Dockerfile").read_text().replace("\\\n", " ").rsplit("\nFROM ", 1)[1]
        instructions = lambda word: re.findall(rf"^{word} (.*)$", stage, re.M)
        self.image = dict(pair.split("=", 1) for line in instructions("ENV") for pair in shlex.split(line))
        self.entrypoint = json.loads(instructions("ENTRYPOINT")[0])

    def process(self, name: str, service: str, program: str, local: dict[str, str], log: Path) -> "Process":
        """A process of a service. `local` maps container addresses and folders to local ones."""
        described = self.services[service]
        assert described["env_file"] == ".env" and self.entrypoint == ["parlance"], described
        replaced = lambda text: replace_all(str(text), local)
        settings = self.image | self.dotenv | described["environment"]
        settings = {name: replaced(value) for name, value in settings.items()}
        health = described["healthcheck"]
        probe = None
        if not health.get("disable"):
            kind, *words = health["test"]
            probe = [replaced(word) for word in (words if kind == "CMD" else ["sh", "-c", *words])]
        startup_timeout = seconds(health.get("start_period", "0s"))
        startup_timeout += health.get("retries", 0) * seconds(health.get("interval", "0s"))
        command = [program, *map(replaced, described["command"])]
        grace = seconds(described["stop_grace_period"])
        return Process(name, command, settings, probe, seconds(health.get("timeout", "1s")), startup_timeout, grace, log)


def interpolated(text: str, values: dict[str, str]) -> str:
    def value(found: re.Match) -> str:
        name, kind, rest = found.groups()
        if values.get(name):
            return values[name]
        assert kind == "-", f"docker-compose.yml requires {name}, which .env does not set"
        return rest

    return VARIABLE.sub(value, text)


def replace_all(text: str, replacements: dict[str, str]) -> str:
    for old, new in replacements.items():
        text = text.replace(old, new)
    return text


def seconds(duration: str) -> float:
    parts = re.fullmatch(r"(\d+)(ms|s|m)", duration)
    assert parts, f"not a duration: {duration}"
    return int(parts[1]) * UNITS[parts[2]]


class Process:
    """A container as a process: start, health checks, stop."""

    def __init__(self, name, command, settings, probe, timeout, startup_timeout, grace, log):
        self.name, self.command, self.probe, self.timeout = name, command, probe, timeout
        self.startup_timeout, self.grace, self.log = startup_timeout, grace, log
        # Containers inherit no environment.
        self.env = {"PATH": os.environ["PATH"]} | settings
        self.running: subprocess.Popen | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.running = subprocess.Popen(
                self.command, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.log.parent
            )

    def wait_until_healthy(self) -> None:
        """Waits like `depends_on: service_healthy`."""
        started = time.monotonic()
        while time.monotonic() - started < self.startup_timeout:
            if self.running.poll() is not None:
                raise CheckFailed(f"{self.name} exited with {self.running.returncode} during start-up")
            try:
                result = subprocess.run(self.probe, env=self.env, timeout=self.timeout, capture_output=True)
                if result.returncode == 0:
                    return
            except subprocess.TimeoutExpired:
                pass
            time.sleep(HEALTH_INTERVAL)
        raise CheckFailed(f"{self.name} was not healthy within {self.startup_timeout:.0f} s")

    def stop(self) -> float:
        """Stops like `docker stop` and returns the seconds it took. The process must exit with 0 within the grace period."""
        started = time.monotonic()
        self.running.send_signal(signal.SIGTERM)
        try:
            code = self.running.wait(self.grace)
        except subprocess.TimeoutExpired:
            raise CheckFailed(f"{self.name} was still running {self.grace:.0f} s after SIGTERM") from None
        if code != 0:
            raise CheckFailed(f"{self.name} exited with {code} after SIGTERM")
        return time.monotonic() - started

    def end(self) -> None:
        """Ends the process in any state, for cleanup."""
        if self.running and self.running.poll() is None:
            self.running.terminate()
            try:
                self.running.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        self.running.kill()
        self.running.wait()


class CheckFailed(Exception):
    """An assertion of the check does not hold."""


def free_ports(count: int) -> list[int]:
    """Picks ports below the ephemeral range, so that outgoing connections cannot take them during a restart."""
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
