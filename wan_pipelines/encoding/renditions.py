"""Which files are made of a take, and what is known of each once it is in the store."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Literal, Self

from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean

VideoCodec = Literal["h264", "av1"]
Codec = Literal["h264", "av1", "webp"]

POSTER: Final = "poster"
PREVIEW: Final = "preview"
"""The pictures that every take gets besides its renditions."""
PICTURES: Final = (POSTER, PREVIEW)


@dataclass(frozen=True, slots=True)
class RenditionSpec:
    """How one rendition is encoded.

    `scale` is its size relative to the frames, at most 1. `crf` and `preset` are the encoder's
    own: libx264 takes 0 to 51 and a name, SVT-AV1 1 to 63 and "-2" to "13"; lower `crf` is
    better. `pix_fmt` is 4:2:0, the only one that every browser plays.
    """

    name: str
    codec: VideoCodec
    scale: Fraction
    crf: int
    preset: str
    pix_fmt: Literal["yuv420p"] = "yuv420p"

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 1:
            raise InputError(
                f"The scale {self.scale} is not in (0, 1].",
                where=f"rendition {self.name!r}",
                remedy="Renditions are never larger than the frames: choose 1 or a fraction.",
            )

    def at_rate(self, fps: int) -> Self:
        """The same for a take whose frames were encoded at another rate before, under that name."""
        return replace(self, name=f"{self.name}{_suffix(fps)}")

    def size_of(self, width: int, height: int) -> tuple[int, int]:
        """The rendition's width and height in pixels, even, for frames of this size."""
        return _even(width * self.scale), _even(height * self.scale)


def _even(side: Fraction) -> int:
    """The largest even number of pixels that fits, at least two."""
    return max(2, int(side) // 2 * 2)


RENDITIONS: Final[Mapping[str, RenditionSpec]] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            RenditionSpec("h264", "h264", Fraction(1), crf=18, preset="veryfast"),
            RenditionSpec("h264-half", "h264", Fraction(1, 2), crf=20, preset="veryfast"),
            RenditionSpec("av1", "av1", Fraction(1), crf=30, preset="8"),
        )
    }
)
"""The renditions that campaigns may ask for, by name."""


def rendition_specs(names: Iterable[str]) -> tuple[RenditionSpec, ...]:
    """The specs of these names, in their order; raises InputError for an unknown one."""
    return tuple(_spec(name) for name in names)


def _spec(name: str) -> RenditionSpec:
    if name not in RENDITIONS:
        raise InputError(
            f"There is no rendition {name!r}.",
            where="renditions",
            remedy=did_you_mean(name, RENDITIONS),
        )
    return RENDITIONS[name]


@dataclass(frozen=True, slots=True)
class RenditionFile:
    """One published file of a take: its address, content and picture.

    `fps` and `duration_seconds` are 0 for a still picture. `signature` is the store's (see
    `storage.ObjectInfo`): as long as it stays, the content need not be read again.
    """

    name: str
    key: str
    uri: str
    sha256: str
    size_bytes: int
    codec: Codec
    width: int
    height: int
    fps: float
    frames: int
    duration_seconds: float
    signature: str


def files_at(fps: int, files: Iterable[RenditionFile]) -> tuple[RenditionFile, ...]:
    """What of a take belongs to a shot of that rate: its pictures, and the files of that rate."""
    return tuple(file for file in files if file.name in PICTURES or file.fps == fps)


def missing_at(fps: int, wanted: Iterable[str], files: Iterable[RenditionFile]) -> tuple[str, ...]:
    """Which renditions a take does not have at that rate, whatever its first one was."""
    made = {file.name.removesuffix(_suffix(fps)) for file in files_at(fps, files)}
    return tuple(name for name in wanted if name not in made)


def _suffix(fps: int) -> str:
    return f"-{fps}fps"
