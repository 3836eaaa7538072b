from dataclasses import replace

from tests.pages.samples import ready
from wan_pipelines.pages.view import (
    QuotaLine,
    RenditionView,
    Totals,
    add_totals,
    count_states,
)


def rendition(name: str, codec: str, width: int, size_bytes: int = 1000) -> RenditionView:
    return RenditionView(
        name=name,
        href=f"{name}.mp4",
        codec=codec,
        width=width,
        height=width * 9 // 16,
        size_bytes=size_bytes,
        duration_seconds=5.0,
    )


FULL, HALF, TINY = (rendition(f"h264-{width}", "h264", width) for width in (1280, 640, 160))
AV1 = rendition("av1", "av1", 1280, size_bytes=400)


def test_cards_play_the_lightest_file_that_is_wide_enough_and_the_dialog_the_largest() -> None:
    shot = replace(ready(0), renditions=(TINY, HALF, AV1, FULL))
    assert (shot.clip, shot.film) == (HALF, FULL)


def test_small_videos_are_played_in_full_size() -> None:
    shot = replace(ready(0), renditions=(rendition("half", "h264", 48), TINY))
    assert (shot.clip, shot.film) == (TINY, TINY)


def test_av1_is_played_where_there_is_nothing_else() -> None:
    shot = replace(ready(0), renditions=(AV1,))
    assert (shot.clip, shot.film) == (AV1, AV1)


def test_a_shot_without_renditions_plays_nothing() -> None:
    shot = replace(ready(0), renditions=())
    assert (shot.clip, shot.film) == (None, None)


def test_withdrawn_shots_are_not_counted_and_reused_ones_are_videos() -> None:
    counts = {"rendered": 4, "reused": 2, "duplicate": 1, "failed": 1, "withdrawn": 9}
    totals = Totals(counts=counts, gpu_seconds=9.0, paid_micro_usd=10)  # type: ignore[arg-type]
    assert (totals.shots, totals.videos, totals.cost_per_video_micro_usd) == (8, 7, 3)


def test_an_edition_that_rendered_nothing_has_no_cost_per_video() -> None:
    totals = Totals(counts={"reused": 3}, gpu_seconds=0.0, paid_micro_usd=0)
    assert totals.cost_per_video_micro_usd is None


def test_cost_per_video_is_exact_for_amounts_no_float_holds() -> None:
    paid = 3 * (2**60 + 1)
    totals = Totals(counts={"rendered": 3}, gpu_seconds=0.0, paid_micro_usd=paid)
    assert totals.cost_per_video_micro_usd == 2**60 + 1


def test_totals_of_editions_add_up() -> None:
    first = Totals(counts={"rendered": 1, "failed": 2}, gpu_seconds=1.5, paid_micro_usd=7)
    second = Totals(counts={"rendered": 3}, gpu_seconds=2.0, paid_micro_usd=8)
    both = add_totals([first, second])
    assert dict(both.counts) == {"rendered": 4, "failed": 2}
    assert (both.gpu_seconds, both.paid_micro_usd) == (3.5, 15)
    assert add_totals([]).shots == 0


def test_states_are_counted() -> None:
    assert count_states(map(ready, range(6))) == {"rendered": 5, "reused": 1}


def test_a_limit_lowered_below_its_use_leaves_nothing() -> None:
    assert QuotaLine(label="ada", used=7, limit=5).left == 0
    assert QuotaLine(label="ada", used=2, limit=5).left == 3
