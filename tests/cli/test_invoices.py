"""`wan invoice`: finance compares what a provider asks with what was charged."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.invoking import Wan
from tests.ledger.invoices.focus import write
from tests.support.project import Project
from tests.support.renders import render_edition

LAYOUT = {
    "columns": {"BilledCost": "amount", "ChargePeriodStart": "date", "SkuId": "sku"},
    "fixed": {"BillingCurrency": "USD", "ChargeCategory": "Usage", "PricingUnit": "Hours"},
}
CLASS = {"device": "cpu", "price_usd_per_hour": "3600", "invoiced": {"skus": ["cpu"]}}


@pytest.fixture(autouse=True)
def classes(quick_project: Project) -> None:
    quick_project.environment(gpu_classes={"laptop-cpu": CLASS}, invoices={"acme": LAYOUT})


def test_an_invoice_is_imported_once(wan: Wan, tmp_path: Path):
    file = str(write(tmp_path / "march.csv", {}, {"BilledCost": "1.00000000001"}))
    tried = json.loads(wan("invoice", "import", file, "--dry-run", "--json").stdout)
    assert (tried["new"], tried["finer_lines"]) == (2, 1)
    said = wan("invoice", "import", file)
    assert "2 lines of march.csv are kept" in said.stderr
    assert "asks $3.69 in all" in said.stderr
    assert "1 of its amounts are finer than a micro-dollar" in said.stderr
    assert "was imported before" in wan("invoice", "import", file).stderr
    (known,) = json.loads(wan("invoice", "list", "--json").stdout)
    assert (known["name"], known["lines"], known["billed_usd"]) == ("march.csv", 2, 3.69)
    gone = wan("invoice", "withdraw", str(known["id"]), "--reason", "a trial")
    assert "counts no more" in gone.stderr
    (known,) = json.loads(wan("invoice", "list", "--json").stdout)
    assert known["withdrawn_because"] == "a trial"
    assert "2 lines of march.csv are kept" in wan("invoice", "import", file).stderr


def test_a_difference_is_explained_and_fails_the_command(
    wan: Wan, quick_project: Project, tmp_path: Path
):
    render_edition(quick_project.studio())
    today = datetime.now(UTC)
    file = tmp_path / "simple.csv"
    file.write_text(f"date,sku,amount\n{today:%Y-%m-%d},cpu,1\n{today:%Y-%m-%d},disk,2\n")
    assert wan("invoice", "import", str(file), "--layout", "acme").exit_code == 0
    said = wan("invoice", "reconcile", f"{today:%Y-%m}", "--json")
    assert said.exit_code == 1
    found = json.loads(said.stdout)
    assert (found["invoiced_usd"], found["within_tolerance"]) == (3.0, False)
    cpu, disk = found["rows"]
    assert cpu["video_usd"] > 0
    charged = cpu["video_usd"] + cpu["overhead_usd"] + cpu["idle_usd"]
    assert charged + cpu["difference_usd"] == pytest.approx(1.0, abs=1e-9)
    assert [each["cause"] for each in cpu["differences"]] == ["no hours"]
    assert (disk["subject"], disk["differences"][0]["cause"]) == ("unknown: disk", "unknown")
    told = wan("invoice", "reconcile", f"{today:%Y-%m}", "--by", "day")
    assert f"{today:%Y-%m-%d}" in told.stdout
    assert "Invoiced $3.00 = charged" in told.stdout
    assert "laptop-cpu differs by more than 1 %" in told.stderr


def test_a_period_without_anything_is_in_order(wan: Wan):
    said = wan("invoice", "reconcile", "2020-01")
    assert said.exit_code == 0
    assert "Nothing was asked or charged" in said.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("reconcile", "march"), "'march' is no period such as 2026-11"),
        (("reconcile", "2026-11", "--tolerance", "some"), "'some' is no number"),
        (("import", "nowhere.csv"), "There is no such file"),
        (("withdraw", "7", "--reason", "a trial"), "There is no invoice 7"),
        (("import", "nowhere.csv", "--layout", "acne"), "Did you mean 'acme'"),
    ],
)
def test_what_cannot_be_done_says_why(wan: Wan, words: tuple[str, ...], told: str):
    said = wan("invoice", *words)
    assert said.exit_code == 1
    assert told in " ".join(said.stderr.split())
