import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.invoking import Wan
from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.ledger.money import usd

OWN = ("--tenant", "demo")


def test_a_report_is_told_shown_and_written(wan: Wan, quick_project: Project, tmp_path: Path):
    render_edition(quick_project.studio())
    (told,) = json.loads(wan("report", *OWN, "--by", "tenant,tier", "--json").stdout)
    assert (told["tenant"], told["tier"], told["videos"]) == ("demo", "draft", 2)
    shown = wan("report", *OWN).stdout
    assert "balls" in shown
    assert f"${usd(told['micro_usd'])} in all" in shown
    files = tmp_path / "videos.csv", tmp_path / "videos.parquet"
    wan("report", *OWN, "--by", "video", "--csv", str(files[0]), "--parquet", str(files[1]))
    for found in (pd.read_csv(files[0]), pd.read_parquet(files[1])):
        assert len(found) == 2
        assert found["micro_usd"].sum() == told["micro_usd"]
    assert "reports/costs.html" in wan("report", "--page").stderr
    ever = ("--from", "1970-01-01", "--to", "2999-12-31")
    assert json.loads(wan("report", *OWN, "--by", "tenant,tier", *ever, "--json").stdout) == [told]


def test_nobody_elses_costs_are_told(wan: Wan, quick_project: Project):
    render_edition(quick_project.studio())
    for by in ("tenant", "video"):
        assert json.loads(wan("report", "--by", by, "--tenant", "small", "--json").stdout) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--by", "tennant"), "Did you mean 'tenant'?"),
        (("--by", "video,tier"), "Name it alone"),
        (("--from", "2026-11-02", "--to", "2026-11-01"), "Swap --from and --to"),
        (("--tenant", "nobody"), "'nobody' is not known"),
    ],
)
def test_what_cannot_be_reported_is_said(wan: Wan, options: tuple[str, ...], words: str):
    said = wan("report", *options)
    assert said.exit_code == 1
    assert words in said.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("report", "--to", "9999-12-31"),
        ("report", "--from", "0001-01-01"),
        ("idle", "--last", "0001-01-01"),
        ("quota", "grant", "demo", "1", "usd", "--reason", "launch", "--until", "9999-12-31"),
    ],
)
def test_a_day_at_the_end_of_the_calendar_is_refused(wan: Wan, command: tuple[str, ...]):
    said = wan(*command)
    assert said.exit_code == 2
    assert f"'{command[-1]}' is no day from 1970-01-01 to 2999-12-31" in " ".join(
        said.stderr.replace("│", " ").split()
    )
