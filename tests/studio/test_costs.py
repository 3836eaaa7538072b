import csv
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.project import Project
from tests.support.quick_project import quick_copy
from tests.support.renders import render_edition
from wan_pipelines.errors import RenderError
from wan_pipelines.ledger.reports import run_costs
from wan_pipelines.ledger.whose import House
from wan_pipelines.studio.costs import Statement, settle
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.studio import Studio

FAULT = RenderError("The frames are not finite.", stage="decode")


def statement_of(studio: Studio, campaign: str = "balls", edition: str = "one") -> Statement:
    return settle(studio, edition_key(studio, campaign, edition))


def rows_of(studio: Studio, statement: Statement) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(studio.store.read_bytes(statement.csv).decode())))


def test_a_statement_adds_up_shot_by_shot(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio, faults={"a red ball rising": FAULT})
    render_edition(studio)
    statement = statement_of(studio)
    paid = sum(run.paid_micro_usd for run in statement.runs)
    assert statement.adds_up
    assert statement.open_workers == 0
    assert sum(shot.cost_micro_usd for shot in statement.shots) == paid > 0
    assert statement.totals.cost_micro_usd == paid
    assert statement.totals.wasted_micro_usd > 0


def test_the_statement_is_a_table_with_exact_amounts(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    statement = statement_of(studio)
    rows = rows_of(studio, statement)
    assert [row["shot"] for row in rows] == [shot.shot for shot in statement.shots]
    assert [row["prompt"] for row in rows] == ["a red ball rising", "a blue box falling"]
    assert {row["outcome"] for row in rows} == {"accepted"}
    total = sum(Decimal(row["cost_usd"]) for row in rows)
    assert total * 1_000_000 == statement.totals.cost_micro_usd


def test_formulas_among_prompts_are_defused_in_the_statement(quick_project: Project):
    quick_project.campaign(prompts=["=1+1", 'a "ball", rising'])
    studio = quick_project.studio()
    render_edition(studio)
    prompts = [row["prompt"] for row in rows_of(studio, statement_of(studio))]
    assert prompts == ["'=1+1", 'a "ball", rising']


def test_a_reused_shot_costs_its_edition_nothing(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    quick_project.campaign("more")
    render_edition(quick_project.studio(), "first", "more")
    statement = statement_of(quick_project.studio(), "more", "first")
    assert (statement.totals.reused, statement.totals.cost_micro_usd) == (2, 0)
    assert {row["reused"] for row in rows_of(studio, statement)} == {"True"}
    assert statement.runs == ()


Launches = st.lists(
    st.tuples(
        st.sampled_from(["balls", "cones"]),
        st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True),
        st.frozensets(st.sampled_from("abcd"), max_size=2),
    ),
    min_size=1,
    max_size=3,
)


@given(launches=Launches)
@settings(
    max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_whatever_is_launched_what_was_paid_is_charged_once(
    launches: list[tuple[str, list[str], frozenset[str]]],
    tmp_path_factory: pytest.TempPathFactory,
    no_weights: Path,
    migrated_ledger: Path,
):
    """Shots of two campaigns that overlap, some of which fail, in any order."""
    project = quick_copy(tmp_path_factory.mktemp("launches"), no_weights, migrated_ledger)
    for campaign, prompts, failing in launches:
        project.campaign(campaign, prompts=prompts)
        faults = dict.fromkeys(failing, FAULT)
        render_edition(project.studio(), campaign=campaign, faults=faults)
    studio = project.studio()
    charged = unattributed = 0
    for campaign in {campaign for campaign, _, _ in launches}:
        statement = statement_of(studio, campaign)
        assert statement.adds_up
        charged += sum(shot.cost_micro_usd for shot in statement.shots)
        unattributed += statement.totals.unattributed_micro_usd
    paid = sum(run.paid_micro_usd for run in run_costs(studio.ledger, House("invoice")))
    assert charged + unattributed == paid
