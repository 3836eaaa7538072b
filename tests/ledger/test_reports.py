import pytest

from tests.ledger.scenes import DEMO, ERROR, Scene, shots
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.reports import (
    cost_totals,
    edition_shots_view,
    edition_totals,
    output_files,
    run_costs,
    videos,
)
from wan_pipelines.ledger.takes import fail_take


@pytest.fixture
def scene(ledger: Ledger) -> Scene:
    return Scene(ledger)


def test_a_rendered_edition_shows_its_videos_with_what_they_cost(scene: Scene):
    red, blue = wanted = shots("red", "blue")
    scene.admit(wanted)
    hand = scene.worker()
    hand.spend("load", 3000)
    take_id = hand.render(red, 1000)
    failed = hand.lease(blue)
    hand.spend("denoise", 2000, failed)
    fail_take(scene.ledger, failed, ERROR, now=scene.now)
    assert hand.close() == 6000
    (video,) = videos(scene.ledger, "acme")
    assert (video.shot, video.take_id, video.reused) == ("red", take_id, False)
    assert (video.width, video.frames, video.duration_seconds) == (96, 9, 1.125)
    assert video.uri.endswith("h264")
    assert video.poster_uri is not None
    assert video.poster_uri.endswith("poster")
    assert (video.cost_micro_usd, video.gpu_microseconds) == (2000, 2_000_000)
    (run,) = run_costs(scene.ledger, "acme")
    assert run.paid_micro_usd == run.charged_micro_usd == 6000
    assert run.wasted_micro_usd == 4000
    assert run.micro_usd_by_kind == {"denoise": 3000, "load": 3000}
    first, second = edition_shots_view(scene.ledger, DEMO)
    assert (first.outcome, second.outcome) == ("accepted", "failed")
    assert second.error_message == "frames are not finite"
    totals = edition_totals(scene.ledger, DEMO)
    assert (totals.shots, totals.accepted, totals.failed, totals.cost_micro_usd) == (2, 1, 1, 6000)
    for by in ("tenant", "campaign", "edition", "user", "release", "tier", "gpu_class", "kind"):
        assert sum(row.micro_usd for row in cost_totals(scene.ledger, by, None)) == 6000
    assert len(output_files(scene.ledger, "acme")) == 3
