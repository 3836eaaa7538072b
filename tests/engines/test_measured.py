from pathlib import Path

import pytest

from wan_pipelines.engines.measured import measured_tiers
from wan_pipelines.engines.releases import read_release
from wan_pipelines.errors import InputError
from wan_pipelines.places import project_root

TINY = project_root() / "assets" / "models" / "wan-tiny"


def test_every_tier_of_the_shipped_release_was_measured_as_its_page_says():
    measured = measured_tiers(TINY)
    assert measured.keys() == read_release(TINY / "defs.yaml").tiers.keys()
    page = (project_root() / "docs" / "tiers.md").read_text()
    for tier, found in measured.items():
        (line,) = (line for line in page.splitlines() if line.startswith(f"| {tier} |"))
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        seconds, _, fidelity, psnr, ssim, vmaf = map(float, cells[1:])
        told = (found.processor_seconds, found.prompt_fidelity, found.psnr_db)
        assert (*told, found.ssim, found.vmaf) == (seconds, fidelity, psnr, ssim, vmaf)


def test_a_release_that_was_not_measured_has_no_figures(tmp_path: Path):
    assert measured_tiers(tmp_path) == {}


def test_a_figure_that_is_none_is_named(tmp_path: Path):
    (tmp_path / "measured.yaml").write_text("clips: 3\ntiers: {draft: {vmaf: 3}}\n")
    with pytest.raises(InputError, match=r"measured\.yaml:2.*processor_seconds"):
        measured_tiers(tmp_path)
