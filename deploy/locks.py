"""Writes what the images install beside `requirements.lock`: a part of it, and CUDA's libraries.

    python -m deploy.locks

`requirements-control.lock` is `requirements.lock` without what only rendering needs: the code
server, the daemon, the webserver and the exporter run on it. `requirements-cuda.lock` pins what the
CUDA build of torch needs beyond that, as an index says that has it; nothing is downloaded.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
RENDERING = frozenset({"accelerate", "diffusers", "torch", "transformers"})
"""What a process needs that draws pixels, and no other."""


def canonical(name: str) -> str:
    """A distribution's name as lock files spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: Path) -> dict[str, str]:
    """The versions that a lock file names."""
    lines = (line.partition("==") for line in lock.read_text().splitlines())
    return {name: version for name, equals, version in lines if equals}


def needed(distribution: str, extras: Iterable[str] = ()) -> Iterator[Requirement]:
    """What an installed distribution requires on this platform, with some of its extras."""
    for line in metadata.requires(distribution) or []:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def closure(roots: Iterable[Requirement]) -> frozenset[str]:
    """The names of `roots`, and of all that they require."""
    found: set[tuple[str, str]] = set()
    todo = list(roots)
    while todo:
        requirement = todo.pop()
        name, extras = canonical(requirement.name), ",".join(sorted(requirement.extras))
        if (name, extras) not in found:
            found.add((name, extras))
            todo += needed(name, requirement.extras)
    return frozenset(name for name, _ in found)


def declared() -> tuple[Requirement, ...]:
    """What the project itself depends on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return tuple(Requirement(line) for line in project["dependencies"])


def control_lock() -> dict[str, str]:
    """The part of `requirements.lock` that processes need which render nothing."""
    kept = closure(each for each in declared() if canonical(each.name) not in RENDERING)
    locked = pins(ROOT / "requirements.lock")
    return {name: version for name, version in locked.items() if name in kept}


def cuda_lock() -> dict[str, str]:
    """What torch's CUDA build requires beyond `requirements.lock`, as pip resolves it."""
    locked = pins(ROOT / "requirements.lock")
    resolve = ["install", "--dry-run", "--quiet", "--ignore-installed", "--isolated"]
    only = ["--only-binary", ":all:", "--report", "-", f"torch=={locked['torch']}"]
    answer = subprocess.run(
        [sys.executable, "-m", "pip", *resolve, *only], check=True, capture_output=True
    )
    resolved = (each["metadata"] for each in json.loads(answer.stdout)["install"])
    found = {canonical(each["name"]): each["version"] for each in resolved}
    return {name: version for name, version in sorted(found.items()) if name not in locked}


def write(name: str, pinned: dict[str, str]) -> None:
    lines = (f"{name}=={version}\n" for name, version in pinned.items())
    (ROOT / name).write_text("".join(lines))


if __name__ == "__main__":
    write("requirements-control.lock", control_lock())
    write("requirements-cuda.lock", cuda_lock())
