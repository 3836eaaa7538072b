"""What the tiers of a release were measured to be: the file beside it that benchmarks write."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from wan_pipelines.records import Record
from wan_pipelines.validation import validated
from wan_pipelines.yaml_source import load_yaml

FILE = "measured.yaml"


class MeasuredTier(Record):
    """A tier's quality: prompt fidelity by the release's scorer, likeness to `reference`.

    `prompt_fidelity` and `ssim` are 0 to 1, `vmaf` 0 to 100; None was not measured.
    """

    processor_seconds: float = Field(gt=0)
    prompt_fidelity: float | None = None
    psnr_db: float | None = None
    ssim: float | None = None
    vmaf: float | None = None


class Measurements(Record):
    """Means over so many clips of each tier."""

    clips: int = Field(ge=1)
    tiers: Mapping[str, MeasuredTier]


def measured_tiers(folder: Path) -> Mapping[str, MeasuredTier]:
    """By tier, of the release in a folder; none where nothing was measured.

    InputError names file, line and field.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    source = load_yaml(path)
    return validated(Measurements, source.data, source.where).tiers
