"""`wan charges`: finance puts a wrong price right."""

import json

import pytest

from tests.cli.invoking import Wan
from tests.support.project import Project
from tests.support.renders import render_edition

RERATE = ("charges", "rerate", "laptop-cpu", "0.05", "--from", "2020-01-01", "--to", "2999-01-01")
WHY = ("--reason", "the list was wrong")


def test_charges_are_rerated_tried_first_and_listed(wan: Wan, quick_project: Project):
    render_edition(quick_project.studio())
    before = cost(wan)
    tried = json.loads(wan(*RERATE, *WHY, "--dry-run", "--json").stdout)
    assert (tried["changed"], cost(wan)) == (False, before)
    assert tried["difference_usd"] == pytest.approx(-before / 2, abs=0.000002)
    said = wan(*RERATE, *WHY)
    assert said.exit_code == 0
    assert "instead of $" in said.stderr
    assert cost(wan) == pytest.approx(before / 2, abs=0.000002)
    assert "nothing to correct" in wan(*RERATE, *WHY).stderr
    (made,) = json.loads(wan("charges", "corrections", "--json").stdout)
    assert made["reason"] == "the list was wrong"
    assert made["difference_usd"] == pytest.approx(cost(wan) - before, abs=1e-9)
    assert made["selection"]["gpu_class"] == "laptop-cpu"
    assert wan("ledger", "audit").exit_code == 0


def test_a_video_is_waived(wan: Wan, quick_project: Project):
    render_edition(quick_project.studio())
    first, second = json.loads(wan("videos", "--json").stdout)
    assert wan("charges", "waive", "--take", first["take_id"], *WHY).exit_code == 0
    after = {video["take_id"]: video for video in json.loads(wan("videos", "--json").stdout)}
    assert after[first["take_id"]]["cost_usd"] == 0
    assert after[first["take_id"]]["gpu_seconds"] == first["gpu_seconds"]
    assert after[second["take_id"]]["cost_usd"] == second["cost_usd"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("waive", *WHY), "either --run or --take"),
        (("waive", "--run", "a", "--reason", ""), "Say why"),
        (("waive", "--run", "a", *WHY), "Nothing was charged to that. Give all of its id"),
        (("rerate", "laptop", *RERATE[3:], *WHY), "Did you mean 'laptop-cpu'"),
        ((*RERATE[1:], "--tenant", "smal", *WHY), "Did you mean 'small'"),
        ((*RERATE[1:4], "--from", "2026-02-01", "--to", "2026-01-01", *WHY), "before it begins"),
    ],
)
def test_a_correction_that_makes_no_sense_says_what_would(
    wan: Wan, words: tuple[str, ...], told: str
):
    said = wan("charges", *words)
    assert said.exit_code == 1
    assert told in " ".join(said.stderr.split())


def cost(wan: Wan) -> float:
    (run,) = json.loads(wan("costs", "--json").stdout)
    assert run["paid_usd"] == run["charged_usd"]
    return run["paid_usd"]
