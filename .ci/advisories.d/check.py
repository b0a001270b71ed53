"""Checks the packages of a Cargo.lock against RustSec advisories.

usage: check.py ADVISORIES.json Cargo.lock EXCEPTIONS.toml

ADVISORIES.json: {"crates": {name: [{"id", "title", "informational", "patched": [range], "unaffected": [range]}]}}.
EXCEPTIONS.toml: [[exception]] with id, until (a date), and reason. An expired exception, or one that matches no
package any more, is also a problem, so that the list stays current.
"""

import datetime
import json
import re
import sys
import tomllib
from pathlib import Path

VERSION = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")
CONDITION = re.compile(r"\s*(>=|<=|>|<|=|\^|~)?\s*(\S+)\s*")


def key(version: str) -> tuple:
    """The sort key of a version, by the precedence rules of semver.org, 11."""
    match = VERSION.fullmatch(version)
    if match is None:
        raise ValueError(f"not a version: {version!r}")
    numbers = tuple(int(number or 0) for number in match.groups()[:3])
    labels = match[4]
    if labels is None:
        return (*numbers, 1, ())
    order = [(0, int(label), "") if label.isdigit() else (1, 0, label) for label in labels.split(".")]
    return (*numbers, 0, tuple(order))


def upper(operator: str, version: str) -> tuple:
    """The first version above a caret or tilde range, as Cargo reads them."""
    given = [int(number) for number in VERSION.fullmatch(version).groups()[:3] if number is not None]
    if operator == "~":
        fixed = min(len(given), 2)
    else:
        fixed = next((place for place, number in enumerate(given, 1) if number > 0), len(given))
    bound = [*given[: fixed - 1], given[fixed - 1] + 1]
    return (*bound, *[0] * (3 - len(bound)), 0, ())


def contains(range_: str, version: str) -> bool:
    """Whether a version is in a range: conditions separated by commas, all of which must hold."""
    given = key(version)
    for condition in range_.split(","):
        match = CONDITION.fullmatch(condition)
        if match is None:
            raise ValueError(f"not a range: {range_!r}")
        operator, bound = match[1] or "^", match[2]
        holds = {
            ">=": lambda: given >= key(bound),
            "<=": lambda: given <= key(bound),
            ">": lambda: given > key(bound),
            "<": lambda: given < key(bound),
            "=": lambda: given == key(bound),
            "^": lambda: key(bound) <= given < upper("^", bound),
            "~": lambda: key(bound) <= given < upper("~", bound),
        }[operator]()
        if not holds:
            return False
    return True


def affects(advisory: dict, version: str) -> bool:
    """Whether an advisory affects a version: no patched and no unaffected range contains it."""
    return not any(contains(range_, version) for range_ in advisory["patched"] + advisory["unaffected"])


def problems(database: dict, packages: list[dict], exceptions: list[dict], today: datetime.date) -> list[str]:
    """One sentence per problem, in the order of the packages."""
    excepted = {exception["id"]: exception for exception in exceptions}
    found, used = [], set()
    for package in packages:
        name, version = package["name"], package["version"]
        for advisory in database["crates"].get(name, []):
            # Packages of this workspace have no source; another crate may have the same name.
            if "source" not in package or not affects(advisory, version):
                continue
            identifier = advisory["id"]
            kind = advisory["informational"] or "vulnerability"
            used.add(identifier)
            exception = excepted.get(identifier)
            if exception is None:
                found.append(f"{name} {version}: {identifier} ({kind}): {advisory['title']}")
            elif exception["until"] < today:
                found.append(f"{name} {version}: the exception for {identifier} ended on {exception['until']}")
    unused = sorted(excepted.keys() - used)
    return found + [f"the exception for {identifier} matches no package: remove it" for identifier in unused]


def main() -> int:
    database, lock, exceptions = (Path(path).read_text() for path in sys.argv[1:])
    exceptions = tomllib.loads(exceptions).get("exception", [])
    packages = tomllib.loads(lock)["package"]
    found = problems(json.loads(database), packages, exceptions, datetime.date.today())
    for problem in found:
        print(problem)
    if not found:
        print(f"{len(packages)} packages, {len(exceptions)} exceptions, no other advisory")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
