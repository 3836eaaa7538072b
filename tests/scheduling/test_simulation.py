"""A small cluster, simulated: its figures add up, and say of the policies what is claimed."""

from decimal import Decimal
from pathlib import Path

import pytest

from wan_pipelines.errors import InputError
from wan_pipelines.scheduling.policy import FairShare
from wan_pipelines.scheduling.simulation.cluster import Cluster
from wan_pipelines.scheduling.simulation.comparing import compare, policies_of
from wan_pipelines.scheduling.simulation.figures import Figures, figures_of, jain
from wan_pipelines.scheduling.simulation.scenario import (
    Accidents,
    GpuPool,
    Scenario,
    ShotKind,
    Wishes,
    changed,
    read_scenario,
)
from wan_pipelines.scheduling.simulation.workload import campaigns_of

SMALL = changed(Scenario(), shots=1500, campaigns=40, gpus=9, spot=3)
CALM = Accidents(preemptions_per_hour=0, crashes_per_hour=0, failed_shots=0, estimate_sigma=0)


@pytest.fixture(scope="module")
def figures() -> dict[str, Figures]:
    return {each.policy: each for each in compare(SMALL, list(policies_of(SMALL).values()))}


def test_every_shot_is_in_a_shard_once():
    campaigns = campaigns_of(SMALL)
    assert len(campaigns) == SMALL.campaigns
    assert sum(shard.shots for each in campaigns for shard in each.shards) == SMALL.shots


def test_the_same_scenario_gives_the_same_figures(figures: dict[str, Figures]):
    (again,) = compare(SMALL, [FairShare(SMALL.scheduling)])
    assert again == figures["fair"]


def test_fair_share_is_fairer_and_leaves_nobody_without(figures: dict[str, Figures]):
    fair, fifo, priority = (figures[name] for name in ("fair", "fifo", "priority"))
    assert fair.jain
    assert fifo.jain
    assert fair.jain > fifo.jain + 0.2
    idle, idle_of_priority = (
        max(each.longest_drought_minutes.values()) for each in (fair, priority)
    )
    assert idle < idle_of_priority / 3
    assert fair.deadlines_missed < fifo.deadlines_missed
    assert fair.worst_wait_minutes["vip"] < fifo.worst_wait_minutes["vip"] / 3


def test_no_on_demand_gpu_is_idle_while_a_shard_waits_for_one(figures: dict[str, Figures]):
    """But for the minutes in which a crashed one is replaced."""
    assert all(each.held_in_demand > 0.995 for each in figures.values())


def test_what_waits_for_spot_is_cheaper(figures: dict[str, Figures]):
    assert figures["fair"].cost_usd < figures["fair-at-once"].cost_usd
    assert figures["fair"].spot_share > figures["fair-at-once"].spot_share


def test_without_accidents_all_that_is_held_is_loaded_or_rendered():
    scenario = SMALL.model_copy(update={"accidents": CALM})
    campaigns = campaigns_of(scenario)
    record = Cluster(scenario, campaigns, FairShare()).run()
    rendered = sum(shard.render_seconds for each in campaigns for shard in each.shards)
    assert sum(stint.rendered_seconds for stint in record.stints) == pytest.approx(rendered)
    found = figures_of("fair", scenario, campaigns, record)
    assert found.lost_share == pytest.approx(0, abs=1e-9)
    loads = [stint.load_seconds for stint in record.stints]
    assert loads.count(scenario.starts.cold_seconds) == 12


def test_a_cut_shard_loses_a_checkpoint_interval_at_most():
    """One GPU that is taken away twice an hour: all is rendered in the end."""
    often = CALM.model_copy(update={"crashes_per_hour": 2.0, "recovery_minutes": 1})
    one = {"h100": GpuPool(gpus=1, usd_per_hour=Decimal(3))}
    scenario = changed(Scenario(pools=one, accidents=often), shots=40, campaigns=2)
    campaigns = campaigns_of(scenario)
    record = Cluster(scenario, campaigns, FairShare()).run()
    shards = sum(len(each.shards) for each in campaigns)
    cuts = len(record.stints) - shards
    assert cuts > 0
    lost = sum(s.ended - s.began - s.load_seconds - s.rendered_seconds for s in record.stints)
    assert lost <= cuts * often.checkpoint_seconds
    held = sum(stint.ended - stint.began for stint in record.stints)
    found = figures_of("fair", scenario, campaigns, record)
    assert float(found.cost_usd) == pytest.approx(held / 3600 * 3, abs=0.01)


def test_a_cluster_with_room_keeps_nobody_waiting():
    roomy = changed(SMALL, gpus=2000, spot=0).model_copy(update={"wishes": Wishes(can_wait=0)})
    (found,) = compare(roomy, [FairShare()])
    assert max(found.worst_wait_minutes.values()) == 0
    assert found.jain is None


def test_jains_index():
    assert jain([3, 3, 3]) == 1
    assert jain([1, 0, 0, 0]) == 0.25


def test_a_scenario_file_says_what_is_wrong_with_it(tmp_path: Path):
    file = tmp_path / "cluster.yaml"
    file.write_text("shots: 500\npools:\n  a100: {gpus: 8, usd_per_hour: '1.50'}\n")
    assert read_scenario(file).pools["a100"].gpus == 8
    file.write_text("shots: 500\npools:\n  a100: {gpu: 8, usd_per_hour: '1.50'}\n")
    with pytest.raises(InputError, match=r"cluster.yaml:3.*pools.a100.gpu"):
        read_scenario(file)
    file.write_text("pools:\n  a: {gpus: 8, usd_per_hour: '1', market: spot}\n")
    with pytest.raises(InputError, match="on-demand GPU"):
        read_scenario(file)


def test_other_sizes_are_checked_too():
    with pytest.raises(InputError, match="each campaign needs a shot"):
        changed(Scenario(), shots=5)
    with pytest.raises(InputError, match=r"pools\.h100\.gpus"):
        changed(Scenario(), gpus=10**9)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("shots: 1000000000", "`shots`"),
        ("pools: {a: {gpus: 1000000000, usd_per_hour: 1}}", "`pools.a.gpus`"),
        ("kinds: {a: {seconds: .inf, share: 1}}", "finite"),
        ("tenants: {a: {demand: 1.0e+308}}", "`tenants.a.demand`"),
        ("accidents: {estimate_sigma: 1.0e+308}", "`accidents.estimate_sigma`"),
    ],
)
def test_a_scenario_that_would_never_end_is_refused(tmp_path: Path, words: str, told: str):
    file = tmp_path / "cluster.yaml"
    file.write_text(words)
    with pytest.raises(InputError, match=told):
        read_scenario(file)


def test_shards_that_are_always_cut_short_end_the_simulation():
    cut = CALM.model_copy(update={"crashes_per_hour": 3600.0, "recovery_minutes": 0})
    scenario = changed(Scenario(accidents=cut), shots=2, campaigns=1)
    with pytest.raises(InputError, match="checkpoint"):
        compare(scenario, [FairShare()])


def test_more_shards_than_are_simulated_in_minutes_are_refused():
    scenario = Scenario(shots=30_000, shard_minutes=0.01)
    with pytest.raises(InputError, match="30,000 shards"):
        campaigns_of(scenario)


def test_work_that_takes_a_cluster_months_ends_the_simulation():
    one = {"h100": GpuPool(gpus=1, usd_per_hour=Decimal(3))}
    kinds = {"film": ShotKind(seconds=86_400, share=1)}
    scenario = changed(Scenario(pools=one, kinds=kinds, accidents=CALM), shots=150, campaigns=2)
    with pytest.raises(InputError, match="100 days"):
        compare(scenario, [FairShare()])
