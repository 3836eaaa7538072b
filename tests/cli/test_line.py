"""`wan line`: who renders, who waits, and whose that is."""

import json
from datetime import UTC, datetime, timedelta

from tests.cli.invoking import Wan
from tests.support.project import Project
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.turn_records import Asker, Turn
from wan_pipelines.ledger.turns import line_up, take_turns
from wan_pipelines.processes import process_name
from wan_pipelines.studio.turns import rules_of

OURS = EditionKey("demo", "mira", "balls", "one")
THEIRS = EditionKey("small", "sam", "boxes", "one")


def test_who_renders_and_who_waits(wan: Wan, quick_project: Project):
    studio, now = quick_project.studio(), datetime.now(UTC)
    turns = [
        Turn("shard_1", 900, ("laptop-cpu",), due_at=now + timedelta(hours=5)),
        Turn("shard_2", 900, ("laptop-cpu",), due_at=now - timedelta(hours=5)),
    ]
    for edition, run in ((OURS, "run-1"), (THEIRS, "run-2")):
        line_up(studio.ledger, edition, run, turns, now=now)
        asker = Asker((run,), process_name())
        shards = ["shard_1", "shard_2"]
        take_turns(studio.ledger, asker, shards, rules_of(studio.settings), now=now)
    ours = json.loads(wan("line", "--json").stdout)
    assert {each["campaign"] for each in ours} == {"balls"}
    told = wan("line", "--all-tenants").stdout
    assert "on laptop-cpu" in told
    assert "waits for laptop-cpu" in told
    assert "overdue" in told
    assert "15 min 00 s" in told


def test_an_empty_line(wan: Wan):
    told = wan("line")
    assert (told.exit_code, told.stdout) == (0, "")
    assert "No shard" in told.stderr
