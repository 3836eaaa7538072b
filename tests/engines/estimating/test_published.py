"""Estimates against every published row, and what they must say of rows that nobody published."""

from dataclasses import replace

import pytest

from benchmarks.estimates import page_path, with_table
from benchmarks.published import PublishedRow, published_rows
from wan_pipelines.engines.estimating.jobs import Options
from wan_pipelines.engines.estimating.machines import A100, GPUS, H100, RTX_4090, cpu
from wan_pipelines.engines.estimating.memory import estimate_memory, fits
from wan_pipelines.engines.estimating.seconds import estimate_seconds, forward_seconds
from wan_pipelines.engines.estimating.vae import Clip

ROWS = published_rows()
GOAL = 0.2
HD = ROWS[0].job


def name_of(row: PublishedRow) -> str:
    return f"{row.model}-{row.machine.name}-{row.job.options.gpus}"


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_seconds_and_memory_are_met_within_a_fifth(row: PublishedRow) -> None:
    assert estimate_seconds(row.job, row.machine).total == pytest.approx(row.seconds, rel=GOAL)
    peak = estimate_memory(row.job, row.machine).peak / 1e9
    assert peak == pytest.approx(row.gigabytes, rel=GOAL)


def test_rows_that_nothing_was_calibrated_on_are_met_as_well() -> None:
    others = [row for row in ROWS if not row.calibrates]
    errors = [abs(estimate_seconds(row.job, row.machine).total / row.seconds - 1) for row in others]
    assert len(others) >= 13
    assert sum(errors) / len(errors) < 0.06


def test_the_table_in_the_docs_is_current() -> None:
    page = page_path().read_text(encoding="utf-8")
    assert with_table(page) == page, "python -m benchmarks estimates"
    assert page.count("| A14B 720p |") == 6


def test_tokens_are_latents_in_patches() -> None:
    assert HD.tokens == 75_600
    assert replace(HD, clip=Clip(832, 480, 81)).tokens == 32_760


def test_longer_and_larger_is_never_quicker_or_smaller() -> None:
    clips = [Clip(832, 480, frames) for frames in range(5, 82, 4)]
    jobs = [replace(HD, clip=clip) for clip in clips]
    seconds = [estimate_seconds(job, H100).total for job in jobs]
    peaks = [estimate_memory(job, H100).peak for job in jobs]
    assert seconds == sorted(set(seconds))
    assert peaks == sorted(set(peaks))


def test_attention_grows_with_the_square() -> None:
    half = replace(HD, clip=Clip(1280, 720, 41))
    assert 0.3 < forward_seconds(half, H100) / forward_seconds(HD, H100) < 0.45


def test_orientation_does_not_matter() -> None:
    upright = replace(HD, clip=Clip(720, 1280, 81))
    assert estimate_seconds(upright, A100) == estimate_seconds(HD, A100)


@pytest.mark.parametrize("gpus", [2, 4, 8])
def test_more_gpus_are_quicker_and_cost_more(gpus: int) -> None:
    shared = replace(HD, options=Options(gpus=gpus))
    alone = replace(HD, options=Options())
    ratio = estimate_seconds(alone, H100).total / estimate_seconds(shared, H100).total
    assert 0.7 * gpus < ratio < gpus


def test_options_do_what_they_are_for() -> None:
    plain = replace(HD, options=Options())
    changed = {
        "offload": Options(offload="model"),
        "cache": Options(reused_share=0.5),
        "adapters": Options(adapters_bytes=10**9, adapters_used=True),
        "float8": Options(precision="float8", weight_bytes=1),
        "tiling": Options(vae_tiling=True),
    }
    jobs = {name: replace(plain, options=options) for name, options in changed.items()}
    seconds = {name: estimate_seconds(job, H100) for name, job in jobs.items()}
    memory = {name: estimate_memory(job, H100) for name, job in jobs.items()}
    base, held = estimate_seconds(plain, H100), estimate_memory(plain, H100)
    assert seconds["offload"].total > base.total
    assert memory["offload"].peak < held.peak
    assert seconds["cache"].denoise_low == pytest.approx(base.denoise_low / 2)
    assert base.total < seconds["adapters"].total < 1.1 * base.total
    assert held.peak + 2 * 10**9 == memory["adapters"].peak
    assert seconds["float8"].total < base.total
    assert memory["float8"].denoise < held.denoise - 25e9
    assert memory["tiling"].decode < held.decode
    assert seconds["tiling"].decode > base.decode


def test_what_fits_leaves_headroom() -> None:
    offloaded = estimate_memory(HD, H100).peak
    assert fits(offloaded, H100.memory_bytes)
    assert not fits(offloaded, RTX_4090.memory_bytes)
    assert not fits(H100.memory_bytes, H100.memory_bytes)


def test_data_sheets_are_whole_and_in_order() -> None:
    assert [each.memory_bytes for each in GPUS.values()] == sorted(
        each.memory_bytes for each in GPUS.values()
    )
    for name, machine in GPUS.items():
        assert machine.name == name
        assert machine.source
        assert machine.calibration
        assert machine.flops["bfloat16"] > machine.flops["float32"]


def test_threads_compute_more_and_dispatch_as_slowly() -> None:
    job = replace(HD, options=Options(precision="float32"))
    one, four = (forward_seconds(job, cpu(threads)) for threads in (1, 4))
    assert 1 < one / four < 4
