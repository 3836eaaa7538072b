"""`wan prices`: the price book as finance keeps it."""

import json
from pathlib import Path

import pytest

from tests.cli.invoking import Wan
from tests.support.project import Project

SET = ("prices", "set", "laptop-cpu", "0.25")
WHY = ("--reason", "new contract")


def book(wan: Wan) -> list[tuple[float, str, str]]:
    found = json.loads(wan("prices", "history", "--json").stdout)
    return [(each["usd_per_gpu_hour"], each["decided_by"], each["reason"]) for each in found]


def test_the_book_begins_with_the_price_of_the_environment(wan: Wan):
    (price,) = json.loads(wan("prices", "list", "--json").stdout)
    assert (price["gpu_class"], price["market"]) == ("laptop-cpu", "on-demand")
    assert (price["usd_per_gpu_hour"], price["decided_by"]) == (0.1, "environment")
    assert price["valid_until"] is None


def test_a_price_is_set_for_later_and_tried_first(wan: Wan):
    later = (*SET, "--from", "2999-01-31", *WHY)
    said = wan(*later, "--dry-run")
    assert "would cost $0.25 from 2999-01-31 00:00 UTC on" in said.stderr
    assert len(book(wan)) == 1
    assert json.loads(wan(*later, "--json").stdout)["changed"]
    assert not json.loads(wan(*later, "--json").stdout)["changed"]
    (first, second) = book(wan)
    assert (first[0], second[0], second[2]) == (0.1, 0.25, "new contract")
    assert second[1] != "environment"
    assert len(json.loads(wan("prices", "list", "--json").stdout)) == 1


def test_a_price_that_is_set_holds_until_the_environment_changes(wan: Wan, quick_project: Project):
    assert wan(*SET, *WHY).exit_code == 0
    assert [price for price, *_ in book(wan)] == [0.1, 0.25]
    classes = {"laptop-cpu": {"device": "cpu", "price_usd_per_hour": "0.30"}}
    quick_project.environment(gpu_classes=classes)
    assert [price for price, *_ in book(wan)] == [0.1, 0.25, 0.3]
    (now,) = json.loads(wan("prices", "list", "--json").stdout)
    assert now["usd_per_gpu_hour"] == 0.3


def test_a_price_for_the_past_names_what_corrects_charges(wan: Wan):
    said = wan(*SET, "--from", "2026-01-01", *WHY)
    assert said.exit_code == 0
    assert "wan charges rerate" in said.stderr


def test_a_list_is_imported_whole_or_not_at_all(wan: Wan, tmp_path: Path):
    file = tmp_path / "prices.csv"
    rows = ["laptop-cpu,0.11,2998-01-01", "laptop-cpu,=0.11,2998-02-01", "laptop-cpu,-1,never"]
    header = "gpu_class,usd_per_hour,valid_from"
    file.write_text("\n".join([header, *rows]))
    said = wan("prices", "import", str(file), *WHY)
    assert said.exit_code == 1
    told = " ".join(said.stderr.split())
    assert "2 of its rows cannot be read: line 3: '=0.11' is no number" in told
    assert "line 4: -1 is no price" in told
    assert len(book(wan)) == 1
    file.write_text("\n".join([header, rows[0]]))
    assert json.loads(wan("prices", "import", str(file), *WHY, "--json").stdout)["changed"]
    assert [price for price, *_ in book(wan)] == [0.1, 0.11]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("laptop", "1", *WHY), "Did you mean 'laptop-cpu'"),
        (("laptop-cpu", "cheap", *WHY), "'cheap' is no number"),
        (("laptop-cpu", "0.0000001", *WHY), "not a whole number of micro-dollars"),
        (("laptop-cpu", "1", *WHY, "--from", "20261201"), "'20261201' is no moment"),
        (("laptop-cpu", "1", "--reason", " "), "Say why"),
    ],
)
def test_what_is_no_price_says_what_would_be(wan: Wan, words: tuple[str, ...], told: str):
    said = wan("prices", "set", *words)
    assert said.exit_code == 1
    assert told in " ".join(said.stderr.split())
