"""How alike two clips are: PSNR and SSIM, and VMAF where ffmpeg has libvmaf."""

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from wan_pipelines.encoding.ffmpeg import GLOBAL_OPTIONS, ffmpeg_binary, run_ffmpeg

if TYPE_CHECKING:
    import numpy as np

LIMIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Likeness:
    """`psnr` in dB (60 for equal clips), `ssim` in 0..1, `vmaf` in 0..100, None without libvmaf."""

    psnr: float
    ssim: float
    vmaf: float | None


def likeness(frames: "np.ndarray", reference: "np.ndarray") -> Likeness:
    """Of two clips uint8 (frames, height, width, 3), by ffmpeg's filters on their luma."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("clip", "reference")]
        for path, clip in zip(paths, (frames, reference), strict=True):
            path.write_bytes(clip.tobytes())
        return _measured(paths, f"{frames.shape[2]}x{frames.shape[1]}", Path(folder))


@cache
def has_vmaf() -> bool:
    filters = subprocess.run(
        [ffmpeg_binary(), "-hide_banner", "-filters"], check=True, capture_output=True, text=True
    )
    return " libvmaf " in filters.stdout


def _measured(clips: list[Path], size: str, folder: Path) -> Likeness:
    inputs = [
        word
        for clip in clips
        for word in ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-i", str(clip))
    ]
    argv = [str(ffmpeg_binary()), *GLOBAL_OPTIONS, *inputs]
    luma = "[0:v]format=yuv444p[a];[1:v]format=yuv444p[b];[a][b]"
    log = folder / "log"

    def run(measure: str) -> None:
        graph = ["-lavfi", luma + measure, "-f", "null", "-"]
        run_ffmpeg([*argv, *graph], time_limit_seconds=LIMIT_SECONDS)

    run(f"psnr=stats_file={log}")
    psnr = _mean(log, "psnr_y:")
    run(f"ssim=stats_file={log}")
    ssim = _mean(log, "Y:")
    if not has_vmaf():
        return Likeness(psnr, ssim, None)
    run(f"libvmaf=log_fmt=json:log_path={log}")
    vmaf = json.loads(log.read_text())["pooled_metrics"]["vmaf"]["mean"]
    return Likeness(psnr, ssim, vmaf)


def _mean(log: Path, label: str) -> float:
    """Over frames; equal frames have no finite PSNR and count as 60 dB."""
    words = [word for word in log.read_text().split() if word.startswith(label)]
    values = [min(float(word.removeprefix(label)), 60.0) for word in words]
    return sum(values) / len(values)
