"""`kill -9` at any moment loses the open span, and nothing that was accepted."""

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.rendering.stage import assert_tiled
from wan_pipelines.rendering.takes import Span

ROOT = Path(__file__).parents[2]


def test_what_was_paid_is_known_up_to_the_last_span(tmp_path: Path) -> None:
    lines = tmp_path / "book.jsonl"
    command = [sys.executable, "-m", "tests.rendering.slow_worker", str(lines)]
    with subprocess.Popen(command, cwd=ROOT) as worker:
        _wait_for_takes(lines, 3)
        worker.kill()
        killed_ns = time.monotonic_ns()
    entries = [json.loads(line) for line in lines.read_text().splitlines()]
    spans = [Span(*entry[1:]) for entry in entries if entry[0] == "span"]
    assert_tiled(spans)
    assert {span.kind for span in spans} >= {"idle", "text", "denoise"}
    accepted = {entry[1] for entry in entries if entry[0] == "accepted"}
    for take_id in accepted:
        assert {span.kind for span in spans if span.take_id == take_id} >= {"text", "denoise"}
    unknown_seconds = (killed_ns - spans[-1].ended_ns) / 1e9
    assert 0 <= unknown_seconds < 5, "one shot's denoising is 0.04 s, if the machine is not busy"


def _wait_for_takes(lines: Path, count: int) -> None:
    for _ in range(600):
        if lines.exists() and lines.read_text().count("accepted") >= count:
            return
        time.sleep(0.05)
    raise AssertionError("the worker does not get anywhere")
