"""What must hold of every scene, and what people were promised of the order."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.scenes import NOW, scenes
from wan_pipelines.scheduling.baselines import FIFO, PLAIN_PRIORITY
from wan_pipelines.scheduling.markets import Markets
from wan_pipelines.scheduling.policy import ORDINARY, FairShare, Policy, beginnings, free_slots
from wan_pipelines.scheduling.records import Lane, Running, Scene, Slots, Standing, Usage, Waiting
from wan_pipelines.scheduling.settings import Scheduling

FAIR = FairShare()
POLICIES = pytest.mark.parametrize("policy", [FIFO, PLAIN_PRIORITY, FAIR], ids=lambda p: p.name)
QUICK = settings(max_examples=60, deadline=None)


def shard(name: str, tenant: str, **changes: object) -> Waiting:
    """A half-hour shard on an H100, an hour in line."""
    like = Waiting(name, tenant, "batch", 1800.0, NOW - 3600, ("h100",))
    return replace(like, **changes)


def begun(scene: Scene, policy: Policy = FAIR) -> list[str]:
    return [beginning.id for beginning in beginnings(policy, scene)]


@POLICIES
@given(scene=scenes())
@QUICK
def test_no_slot_or_tenant_gets_more_than_there_is(policy: Policy, scene: Scene):
    found = beginnings(policy, scene)
    assert len({beginning.id for beginning in found}) == len(found)
    by_id = {waiting.id: waiting for waiting in scene.waiting}
    taken = Counter(beginning.gpu_class for beginning in found)
    assert all(taken[name] <= free for name, free in free_slots(scene).items())
    at_work = Counter(running.tenant for running in scene.running)
    for beginning in found:
        waiting = by_id[beginning.id]
        assert beginning.gpu_class in waiting.gpu_classes
        at_work[waiting.tenant] += 1
        most = scene.standings.get(waiting.tenant, ORDINARY).concurrent_shards
        assert most is None or at_work[waiting.tenant] <= most


@POLICIES
@given(scene=scenes())
@QUICK
def test_no_slot_stays_free_for_which_a_shard_waits(policy: Policy, scene: Scene):
    found = beginnings(policy, scene)
    free = Counter(free_slots(scene))
    free.subtract(beginning.gpu_class for beginning in found)
    begun_ids = {beginning.id for beginning in found}
    at_work = Counter(running.tenant for running in scene.running)
    at_work.update(waiting.tenant for waiting in scene.waiting if waiting.id in begun_ids)
    markets = policy.choices(scene)
    for waiting in scene.waiting:
        most = scene.standings.get(waiting.tenant, ORDINARY).concurrent_shards
        if waiting.id in begun_ids or (most is not None and at_work[waiting.tenant] >= most):
            continue
        classes = markets.choices(waiting) if markets else waiting.gpu_classes
        assert not any(free[name] for name in classes)


@POLICIES
@given(scene=scenes(), random=st.randoms(use_true_random=False))
@QUICK
def test_the_order_of_records_decides_nothing(policy: Policy, scene: Scene, random):
    shuffled = replace(
        scene,
        waiting=random.sample(list(scene.waiting), len(scene.waiting)),
        running=random.sample(list(scene.running), len(scene.running)),
    )
    assert beginnings(policy, shuffled) == beginnings(policy, scene)


@given(scene=scenes())
@QUICK
def test_a_slot_more_never_lets_fewer_begin(scene: Scene):
    more = {name: replace(slots, total=slots.total + 1) for name, slots in scene.slots.items()}
    unlimited = {name: replace(s, concurrent_shards=None) for name, s in scene.standings.items()}
    scene = replace(scene, standings=unlimited)
    assert len(begun(replace(scene, slots=more))) >= len(begun(scene))


def test_vip_overtakes_at_the_next_free_slot():
    scene = Scene(
        NOW,
        [shard("early", "ann"), shard("late", "vip", since=NOW - 1)],
        [],
        {"h100": Slots(1)},
        usage={"ann": Usage(ended=NOW - 60)},
        standings={"vip": Standing("vip")},
    )
    assert begun(scene) == ["late"]
    assert begun(scene, FIFO) == ["early"]


def test_whoever_was_served_less_for_its_weight_goes_first():
    served = {"ann": Usage(3000.0, NOW), "bob": Usage(4000.0, NOW)}
    scene = Scene(NOW, [shard("a", "ann"), shard("b", "bob")], [], {"h100": Slots(1)}, served)
    assert begun(scene) == ["a"]
    heavier = replace(scene, standings={"bob": Standing(weight=2)})
    assert begun(heavier) == ["b"]


def test_what_runs_counts_before_it_has_ended():
    running = [Running("r", "ann", "h100", 1800.0, NOW - 10)]
    scene = Scene(NOW, [shard("a", "ann"), shard("b", "bob")], running, {"h100": Slots(2)})
    assert begun(scene) == ["b"]


@pytest.mark.parametrize(("minutes", "first"), [(10, "v"), (50, "b")])
def test_a_tenant_that_waits_for_long_goes_first_in_the_end(minutes: int, first: str):
    """Three times fifteen minutes: past standard and VIP, to the front."""
    scene = Scene(
        NOW,
        [shard("v", "vip", since=NOW - 60), shard("b", "back", since=NOW - minutes * 60)],
        [],
        {"h100": Slots(1)},
        standings={"vip": Standing("vip"), "back": Standing("background")},
        usage={"back": Usage(1e9, NOW - 7200)},
    )
    assert begun(scene) == [first]


def test_a_tenants_own_order_is_urgency_then_priority_then_age():
    waiting = [
        shard("old", "ann", since=NOW - 5000),
        shard("new", "ann", since=NOW - 10),
        shard("chosen", "ann", since=NOW - 10, priority=5),
        shard("urgent", "ann", batch="other", since=NOW - 10, priority=-5, due=NOW + 60),
    ]
    scene = Scene(NOW, waiting, [], {"h100": Slots(4)})
    assert begun(scene) == ["urgent", "chosen", "old", "new"]


@given(levels=st.lists(st.integers(-100, 100), min_size=2, max_size=4, unique=True))
@settings(max_examples=20, deadline=None)
def test_no_priority_of_a_tenant_waits_for_ever_behind_a_higher_one(levels: list[int]):
    """One GPU, and always shards of all priorities in line: the lower ones get one in four hours
    and whatever is at work then, the highest the rest.
    """
    began: dict[Lane, float] = {}
    times: dict[int, list[float]] = {level: [NOW] for level in levels}
    for half_hours in range(48):
        now = NOW + half_hours * 1800
        waiting = [shard(f"p{p}", "ann", priority=p, since=NOW) for p in levels]
        scene = Scene(now, waiting, [], {"h100": Slots(1)}, begun=began)
        (beginning,) = beginnings(FAIR, scene)
        priority = int(beginning.id[1:])
        began["ann", priority, "h100"] = now
        times[priority].append(now)
    highest = times.pop(max(levels))
    assert len(highest) >= 48 - 6 * len(times)
    for each in times.values():
        gaps = [later - earlier for earlier, later in pairwise([*each, NOW + 24 * 3600])]
        assert max(gaps) <= 4 * 3600 + len(levels) * 1800


def test_what_begins_on_other_gpus_is_no_comfort():
    waiting = [shard("low", "ann", since=NOW - 5 * 3600), shard("high", "ann", priority=5)]
    scene = Scene(NOW, waiting, [], {"h100": Slots(1)}, begun={("ann", 0, "l40s"): NOW - 60})
    assert begun(scene) == ["low"]
    assert begun(replace(scene, begun={("ann", 0, "h100"): NOW - 60})) == ["high"]


@pytest.mark.parametrize(
    ("weights", "sizes"),
    [([4, 1], [600, 1800]), ([1, 2, 5], [1800, 900, 900]), ([1, 1], [3600, 600])],
)
def test_shares_become_those_of_the_weights(weights: list[int], sizes: list[int]):
    """Of tenants that always have shards waiting, of whatever size."""
    served = rendered_by(FAIR, weights, sizes, hours=12)
    for weight, seconds in zip(weights, served, strict=True):
        assert seconds / sum(served) == pytest.approx(weight / sum(weights), abs=0.05)


def rendered_by(policy: FairShare, weights: list[int], sizes: list[int], hours: int) -> list[float]:
    """GPU seconds of each tenant: eight slots, and as many shards of each always in line."""
    tenants = [f"t{number}" for number in range(len(weights))]
    standings = {name: Standing(weight=w) for name, w in zip(tenants, weights, strict=True)}
    size = dict(zip(tenants, map(float, sizes), strict=True))
    usage = {name: Usage(ended=NOW) for name in tenants}
    served = dict.fromkeys(tenants, 0.0)
    running: list[Running] = []
    now, number = NOW, 0
    while now < NOW + hours * 3600:
        for ended in [each for each in running if each.began + each.gpu_seconds <= now]:
            running.remove(ended)
            served[ended.tenant] += ended.gpu_seconds
            memory = policy.settings.half_life_seconds
            usage[ended.tenant] = usage[ended.tenant].after(ended.gpu_seconds, 1, now, memory)
        waiting = [shard(f"{t}/{k}", t, gpu_seconds=size[t]) for t in tenants for k in range(8)]
        scene = Scene(now, waiting, running, {"h100": Slots(8)}, usage, standings)
        for beginning in beginnings(policy, scene):
            tenant = beginning.id.split("/")[0]
            number += 1
            running.append(Running(f"r{number}", tenant, "h100", size[tenant], now))
        now = min(each.began + each.gpu_seconds for each in running)
    return list(served.values())


@pytest.mark.parametrize("due_in_hours", [None, 20])
def test_what_can_wait_takes_spot_and_leaves_the_rest_idle(due_in_hours: int | None):
    due = None if due_in_hours is None else NOW + due_in_hours * 3600
    waiting = [
        shard(f"w{n}", "ann", gpu_classes=("h100", "h100-spot"), can_wait=True, due=due)
        for n in range(3)
    ]
    slots = {"h100": Slots(4), "h100-spot": Slots(1, "spot")}
    found = beginnings(FAIR, Scene(NOW, waiting, [], slots))
    assert [beginning.gpu_class for beginning in found] == ["h100-spot"]


def test_the_deadline_moves_it_to_on_demand():
    both = ("h100", "h100-spot")
    waiting = [shard("w", "ann", gpu_classes=both, can_wait=True, due=NOW + 3600)]
    slots = {"h100": Slots(4), "h100-spot": Slots(4, "spot")}
    (beginning,) = beginnings(FAIR, Scene(NOW, waiting, [], slots))
    assert beginning.gpu_class == "h100"


@given(scene=scenes())
@QUICK
def test_what_cannot_wait_goes_where_it_may_at_once(scene: Scene):
    markets = Markets(scene, Scheduling())
    for waiting in scene.waiting:
        if not waiting.can_wait:
            assert markets.choices(waiting) == waiting.gpu_classes
