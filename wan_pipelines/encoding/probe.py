"""What a file really is, read from the file itself."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wan_pipelines.encoding.boxes import top_level_boxes
from wan_pipelines.encoding.renditions import Codec
from wan_pipelines.errors import EncodeError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

CODECS: Final[dict[str, Codec]] = {"h264": "h264", "av1": "av1", "libdav1d": "av1"}
COLOUR_NAMES: Final = {0: "rgb", 1: "bt709", 2: "unspecified", 5: "bt470bg", 6: "smpte170m"}
"""ITU-T H.273 codes, as far as they are told apart here; the rest is shown as a number."""
RANGE_NAMES: Final = {0: "unspecified", 1: "tv", 2: "pc"}


@dataclass(frozen=True, slots=True)
class Colours:
    """The colour tags of a video stream, in ffmpeg's words."""

    matrix: str
    primaries: str
    transfer: str
    range: str


BT709: Final = Colours("bt709", "bt709", "bt709", "tv")


@dataclass(frozen=True, slots=True)
class Probe:
    """What one file contains.

    `frames` counts whole packets, so that a cut file has fewer. For a picture (`codec` webp)
    `pix_fmt` is Pillow's mode, `colours` None, and a still has `fps` and duration 0.
    `faststart` says that playing can begin before the whole file has arrived.
    """

    codec: Codec
    width: int
    height: int
    fps: Fraction
    frames: int
    duration_seconds: float
    pix_fmt: str
    colours: Colours | None
    faststart: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """What a video file has to contain; colours and layout are always the same."""

    codec: Codec
    width: int
    height: int
    fps: Fraction
    frames: int


def probe(path: Path) -> Probe:
    """Read what an MP4 or WebP file contains; raises EncodeError if it is neither or damaged."""
    return _probe_webp(path) if path.suffix == ".webp" else _probe_mp4(path)


def check(found: Probe, expected: Expected, path: Path) -> None:
    """Raise EncodeError, naming each difference, unless the file at `path` is as expected."""
    wanted = {
        "codec": expected.codec,
        "width": expected.width,
        "height": expected.height,
        "fps": expected.fps,
        "frames": expected.frames,
        "pix_fmt": "yuv420p",
        "colours": BT709,
        "faststart": True,
    }
    differences = [
        f"{name} is {getattr(found, name)} instead of {value}"
        for name, value in wanted.items()
        if getattr(found, name) != value
    ]
    if abs(found.duration_seconds - expected.frames / expected.fps) * expected.fps >= 0.5:
        differences.append(f"its duration is {found.duration_seconds:.3f} s")
    if differences:
        raise EncodeError(
            f"{path.name} was encoded, but not as asked: {'; '.join(differences)}. "
            "It was not accepted; check which ffmpeg runs, and try the shot again."
        )


def _probe_mp4(path: Path) -> Probe:
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(path), format="mp4") as container:
            return _read_stream(path, container)
    except (FFmpegError, OSError) as error:
        raise EncodeError(
            f"{path.name} is no readable MP4 file: {error}. Encode it again."
        ) from error


def _read_stream(path: Path, container: "InputContainer") -> Probe:
    if len(container.streams.video) != 1:
        raise EncodeError(f"{path.name} has no single video stream. Encode it again.")
    stream = container.streams.video[0]
    context = stream.codec_context
    return Probe(
        codec=_codec(path, context.name),
        width=context.width,
        height=context.height,
        fps=stream.average_rate or Fraction(0),
        frames=sum(packet.size > 0 and not packet.is_corrupt for packet in container.demux(stream)),
        duration_seconds=float((stream.duration or 0) * (stream.time_base or 0)),
        pix_fmt=context.pix_fmt or "unknown",
        colours=_colours(stream),
        faststart=_starts_fast(path),
    )


def _codec(path: Path, name: str) -> Codec:
    if name not in CODECS:
        raise EncodeError(f"{path.name} contains {name}, which is not one of our codecs.")
    return CODECS[name]


def _colours(stream: "VideoStream") -> Colours:
    context = stream.codec_context
    matrix, primaries, transfer = (
        COLOUR_NAMES.get(code, str(code))
        for code in (context.colorspace, context.color_primaries, context.color_trc)
    )
    return Colours(matrix, primaries, transfer, RANGE_NAMES.get(context.color_range, "unspecified"))


def _starts_fast(path: Path) -> bool:
    names = [name for name, _ in top_level_boxes(path)]
    return "moov" in names and "mdat" in names and names.index("moov") < names.index("mdat")


def _probe_webp(path: Path) -> Probe:
    from PIL import Image

    try:
        with Image.open(path, formats=["WEBP"]) as image:
            frames = getattr(image, "n_frames", 1)
            milliseconds = 0
            for index in range(frames):
                image.seek(index)
                image.load()
                milliseconds += image.info.get("duration", 0) if frames > 1 else 0
            size, mode = image.size, image.mode
    except (OSError, EOFError) as error:
        raise EncodeError(
            f"{path.name} is no readable WebP file: {error}. Encode it again."
        ) from error
    return Probe(
        codec="webp",
        width=size[0],
        height=size[1],
        fps=Fraction(1000 * frames, milliseconds) if milliseconds else Fraction(0),
        frames=frames,
        duration_seconds=milliseconds / 1000,
        pix_fmt=mode,
        colours=None,
        faststart=True,
    )
