"""The ffmpeg command lines: one process makes all renditions of a take.

Colours: sRGB frames are converted once to BT.709 limited range, 4:2:0, then split; matrix,
primaries, transfer and range are set on the frames, from which ffmpeg takes the tags of the
stream and of the `colr` box (its output options of the same names are ignored for raw input).
Every option that could let two runs differ is pinned: thread counts depend on the size only,
scaling is bit-exact, nothing is written of times, versions or paths.
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from wan_pipelines.encoding.ffmpeg import GLOBAL_OPTIONS, ffmpeg_binary
from wan_pipelines.encoding.renditions import RenditionSpec

Stream = Any
"""A stream of ffmpeg-python, whose methods are attached at run time and have no types."""

SCALER_FLAGS: Final = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
BT709_TAGS: Final = {
    "colorspace": "bt709",
    "color_primaries": "bt709",
    "color_trc": "bt709",
    "range": "tv",
}
CONTAINER_OPTIONS: Final = {
    "format": "mp4",
    "movflags": "+faststart",
    "fflags": "+bitexact",
    "flags:v": "+bitexact",
    "map_metadata": "-1",
    "map_chapters": "-1",
}
PIXELS_PER_THREAD: Final = 640 * 360
MAX_THREADS: Final = 8


def encode_argv(
    size: tuple[int, int], fps: Fraction, specs: Mapping[Path, RenditionSpec]
) -> list[str]:
    """The command that reads raw RGB frames of `size` from stdin and writes each spec's file."""
    import ffmpeg

    frames = ffmpeg.input(
        "pipe:0",
        format="rawvideo",
        pixel_format="rgb24",
        video_size=size,
        framerate=str(fps),
    )
    video = frames.filter(
        "scale", out_color_matrix="bt709", out_range="tv", flags=SCALER_FLAGS
    ).filter("format", "yuv420p")
    return _argv(video, size, specs)


def transcode_argv(
    source: Path, size: tuple[int, int], fps: Fraction, specs: Mapping[Path, RenditionSpec]
) -> list[str]:
    """The command that derives each spec's file from our own full-size MP4 of `size`.

    Its frames are shown at `fps`, whatever the times in the file are.
    """
    import ffmpeg

    video = ffmpeg.input(
        str(source.absolute()), format="mp4", protocol_whitelist="file", r=str(fps)
    )
    return _argv(video["v:0"], size, specs)


def _argv(video: Stream, size: tuple[int, int], specs: Mapping[Path, RenditionSpec]) -> list[str]:
    import ffmpeg

    split = video.filter("setparams", **BT709_TAGS).filter_multi_output("split", len(specs))
    outputs = [
        _output(split[index], size, path, spec) for index, (path, spec) in enumerate(specs.items())
    ]
    command = [str(ffmpeg_binary()), *GLOBAL_OPTIONS, "-filter_complex_threads", "1"]
    return ffmpeg.merge_outputs(*outputs).compile(cmd=command)


def _output(video: Stream, size: tuple[int, int], path: Path, spec: RenditionSpec) -> Stream:
    width, height = spec.size_of(*size)
    if (width, height) != size:
        video = video.filter("scale", width, height, flags=SCALER_FLAGS)
    threads = min(MAX_THREADS, 1 + width * height // PIXELS_PER_THREAD)
    options = _codec_options(spec, threads)
    return video.output(str(path.absolute()), **options, **CONTAINER_OPTIONS)


def _codec_options(spec: RenditionSpec, threads: int) -> dict[str, str]:
    common = {"crf": str(spec.crf), "preset": spec.preset, "pix_fmt": spec.pix_fmt}
    if spec.codec == "h264":
        return {"c:v": "libx264", "threads": str(threads), **common}
    return {"c:v": "libsvtav1", "svtav1-params": f"lp={threads}", **common}
