"""Checks the manifests beyond their schemas: references resolve, and names match the code.

usage: check.py kubernetes | compose     (in the root of the repository)
"""

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import yaml

PARLANCE = os.environ.get("PARLANCE", "target/debug/parlance")
KUBERNETES = Path("deploy/kubernetes")
# Kinds without a Kubernetes schema.
FOREIGN = {("keda.sh/v1alpha1", "ScaledObject"), ("kustomize.config.k8s.io/v1beta1", "Kustomization")}
# Files that are not applied as resources.
NOT_APPLIED = {"kustomization.yaml", "secret.example.yaml"}
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|API_KEY|AUTH$")
# ${NAME}, ${NAME:-default} or ${NAME:?what to do}, as Compose reads them.
VARIABLE = re.compile(r"\$\{(\w+)(?::?([-?])[^}]*)?\}")

problems: list[str] = []


def must(holds, problem: str) -> None:
    if not holds:
        problems.append(problem)


def settings() -> set[str]:
    """Names of all settings."""
    return set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", Path(".env.example").read_text(), re.M))


@functools.cache
def kinds() -> set[str]:
    """Names of all queues, from the binary."""
    description = subprocess.run([PARLANCE, "openapi"], check=True, capture_output=True).stdout
    return set(json.loads(description)["components"]["schemas"]["JobKind"]["enum"])


def queues_of(args: list[str]) -> set[str]:
    return set(args[args.index("--queues") + 1].split(","))


def every_queue_is_taken(workers: dict[str, list[str]]) -> None:
    taken = [queue for args in workers.values() for queue in queues_of(args)]
    must(sorted(taken) == sorted(kinds()), f"workers serve {sorted(taken)}, but the queues are {sorted(kinds())}")


# --- Kubernetes ---------------------------------------------------------------------------------------


def kubernetes() -> str:
    documents = [
        (path.name, document)
        for path in sorted(KUBERNETES.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    ]
    version = kubernetes_validate.latest_version()
    for file, document in documents:
        if (document["apiVersion"], document["kind"]) not in FOREIGN:
            has_its_schema(file, document, version)
    of = lambda kind: {d["metadata"]["name"]: d for _, d in documents if d["kind"] == kind}
    deployments = of("Deployment")
    kustomization(next(d for _, d in documents if d["kind"] == "Kustomization"))
    given = settings_are_known(of("ConfigMap"), of("Secret"))
    for name, workload in (deployments | of("Job")).items():
        pod_is_whole(name, workload["spec"]["template"], given)
    labels = {name: d["spec"]["template"]["metadata"]["labels"] for name, d in deployments.items()}
    for name, deployment in deployments.items():
        selects_one(f"Deployment {name}", deployment["spec"]["selector"]["matchLabels"], labels)
    for name, service in of("Service").items():
        chosen = selects_one(f"Service {name}", service["spec"]["selector"], labels)
        for port in service["spec"]["ports"] if chosen else []:
            must(port["targetPort"] in ports(deployments[chosen]), f"Service {name}: no port {port['targetPort']}")
    for name, budget in of("PodDisruptionBudget").items():
        selects_one(f"PodDisruptionBudget {name}", budget["spec"]["selector"]["matchLabels"], labels)
    walls = of("NetworkPolicy")
    must(set(walls) == set(deployments), f"network policies for {sorted(walls)}, deployments {sorted(deployments)}")
    for name, wall in walls.items():
        chosen = selects_one(f"NetworkPolicy {name}", wall["spec"]["podSelector"]["matchLabels"], labels)
        for port in (port for rule in wall["spec"]["ingress"] for port in rule["ports"]) if chosen else []:
            must(port["port"] in ports(deployments[chosen]), f"NetworkPolicy {name}: no port {port['port']}")
    scaled = of("HorizontalPodAutoscaler") | of("ScaledObject")
    must(set(scaled) == set(deployments), f"autoscalers for {sorted(scaled)}, deployments {sorted(deployments)}")
    for name, scaler in scaled.items():
        must(scaler["spec"]["scaleTargetRef"]["name"] in deployments, f"{name}: the scale target does not exist")
    commands = {name: d["spec"]["template"]["spec"]["containers"][0]["args"] for name, d in deployments.items()}
    workers = {name: args for name, args in commands.items() if args[0] == "worker"}
    every_queue_is_taken(workers)
    for name, args in workers.items():
        if name in of("ScaledObject"):
            scales_by_its_queues(name, of("ScaledObject")[name], queues_of(args))
    return f"{len(documents)} documents match the schemas of Kubernetes {version} (KEDA and Kustomize have none)"


def has_its_schema(file: str, document: dict, version: str) -> None:
    what = f"{file}: {document['kind']} {document['metadata']['name']}"
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        must(False, f"{what}: {'.'.join(map(str, error.path))}: {error.message}")
    except kubernetes_validate.SchemaNotFoundError:
        must(False, f"{what}: Kubernetes {version} has no {document['apiVersion']}")


def kustomization(document: dict) -> None:
    there = {path.name for path in KUBERNETES.iterdir()} - NOT_APPLIED
    must(sorted(document["resources"]) == sorted(there), f"kustomization lists {document['resources']}, not {there}")
    must([image["name"] for image in document["images"]] == ["parlance"], "kustomization names another image")


def settings_are_known(maps: dict[str, dict], secrets: dict[str, dict]) -> dict[str, set[str]]:
    """What each map and secret gives."""
    given = {f"ConfigMap {name}": set(d["data"]) for name, d in maps.items()}
    given |= {f"Secret {name}": set(d["stringData"]) for name, d in secrets.items()}
    for source, names in given.items():
        must(names <= settings(), f"{source}: no settings: {sorted(names - settings())}")
        for name in names if source.startswith("ConfigMap") else []:
            must(not SECRET.search(name), f"{source}: {name} belongs to a secret")
    for name, secret in secrets.items():
        must(not any(secret["stringData"].values()), f"Secret {name}: the template has a value")
    return given


def pod_is_whole(name: str, template: dict, given: dict[str, set[str]]) -> None:
    pod = template["spec"]
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    for container in pod["containers"]:
        must(container["image"] == "parlance", f"{name}: {container['image']} is no image that kustomization sets")
        for source in container.get("envFrom", []):
            for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if key in source:
                    must(f"{kind} {source[key]['name']}" in given, f"{name}: no {kind} {source[key]['name']}")
        for variable in container.get("env", []):
            must(variable["name"] in settings(), f"{name}: unknown setting {variable['name']}")
            for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                if wanted := variable.get("valueFrom", {}).get(key):
                    there = given.get(f"{kind} {wanted['name']}", set())
                    must(wanted["key"] in there, f"{name}: no {wanted['key']} in {kind} {wanted['name']}")
        named = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if probe in container:
                port = container[probe]["httpGet"]["port"]
                must(port in named, f"{name}: {probe} uses unknown port {port}")
        for mount in container.get("volumeMounts", []):
            must(mount["name"] in volumes, f"{name}: no volume {mount['name']}")
    opened = {port["containerPort"] for container in pod["containers"] for port in container.get("ports", [])}
    scraped = template["metadata"].get("annotations", {}).get("prometheus.io/port")
    must(scraped is None or int(scraped) in opened, f"{name}: Prometheus scrapes unknown port {scraped}")


def ports(deployment: dict) -> set[str]:
    return {port["name"] for c in deployment["spec"]["template"]["spec"]["containers"] for port in c.get("ports", [])}


def selects_one(what: str, selector: dict, labels: dict[str, dict]) -> str | None:
    """Returns the deployment whose pods are selected."""
    chosen = [name for name, given in labels.items() if selector.items() <= given.items()]
    must(len(chosen) == 1, f"{what} selects the pods of {chosen}")
    return chosen[0] if len(chosen) == 1 else None


def scales_by_its_queues(name: str, scaler: dict, queues: set[str]) -> None:
    for trigger in scaler["spec"]["triggers"]:
        operator, names = re.search(r'kind(=~|!~)"([^"]*)"', trigger["metadata"]["query"]).groups()
        scaled_by = set(names.split("|")) if operator == "=~" else kinds() - set(names.split("|"))
        must(scaled_by == queues, f"{name} serves {sorted(queues)} but is scaled by {sorted(scaled_by)}")


# --- Compose ------------------------------------------------------------------------------------------


def compose() -> str:
    document = yaml.safe_load(Path("docker-compose.yml").read_text())
    services = document["services"]
    for name, service in services.items():
        must("image" in service or "build" in service, f"{name}: neither an image nor a build")
        must(service.get("healthcheck"), f"{name}: health check neither set nor disabled")
        for other, on in service.get("depends_on", {}).items():
            waits_well(name, other, on["condition"], services)
        for mount in service.get("volumes", []):
            volume = mount.split(":")[0]
            must("/" in volume or volume in document["volumes"], f"{name}: no volume {volume}")
        if service.get("image") == "parlance":
            unknown = set(service.get("environment", {})) - settings()
            must(not unknown, f"{name}: unknown settings: {sorted(unknown)}")
        no_literal_secret(name, service)
    must([name for name, s in services.items() if "build" in s] == ["migrate"], "only `migrate` may build the image")
    commands = {name: s.get("command", [""]) for name, s in services.items()}
    every_queue_is_taken({name: command for name, command in commands.items() if command[0] == "worker"})
    made = set(re.findall(r"^([A-Z_]+)=\$", Path("deploy/make-env").read_text(), re.M))
    for variable, otherwise in VARIABLE.findall(Path("docker-compose.yml").read_text()):
        must(otherwise == "-" or variable in made, f"${{{variable}}} has no default, and deploy/make-env does not set it")
    return f"{len(services)} services: dependencies, volumes and settings exist, no literal secrets"


def waits_well(name: str, other: str, condition: str, services: dict[str, dict]) -> None:
    if other not in services:
        must(False, f"{name} depends on unknown service {other}")
    elif condition == "service_healthy":
        check = services[other].get("healthcheck", {})
        must(check and not check.get("disable"), f"{name} waits for the health of {other}, which has no health check")
    elif condition == "service_completed_successfully":
        must(services[other].get("restart") == "no", f"{name} waits for the exit of {other}, which restarts")


def no_literal_secret(name: str, service: dict) -> None:
    for variable, value in service.get("environment", {}).items():
        must(not SECRET.search(variable) or is_required(value), f"{name}: {variable} is a literal or may be empty")
        password = re.search(r"://[^:@/]*:(\$\{[^}]*\}|[^@]*)@", str(value))
        must(not password or is_required(password[1]), f"{name}: {variable} has a literal password in its URL")
    command = service.get("command", [])
    if "--requirepass" in command:
        must(is_required(command[command.index("--requirepass") + 1]), f"{name}: literal password")


def is_required(value: str) -> bool:
    found = VARIABLE.fullmatch(str(value))
    return bool(found) and found[2] == "?"


if __name__ == "__main__":
    summary = {"kubernetes": kubernetes, "compose": compose}[sys.argv[1]]()
    for problem in problems:
        print(f"FAILED: {problem}")
    if problems:
        sys.exit(1)
    print(f"ok: {summary}")
