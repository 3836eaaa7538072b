"""An edition with real little videos, for tests of the pages."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import imageio_ffmpeg
from PIL import Image, ImageDraw

from wan_pipelines.pages.view import (
    EditionView,
    IndexEntry,
    Link,
    PosterView,
    QuotaLine,
    RenditionView,
    ShotView,
    Spending,
    StageView,
    Totals,
    count_states,
)

NOW = datetime(2025, 11, 22, 2, 53, 11, tzinfo=UTC)
FPS = 8
FRAMES = 17


@dataclass(frozen=True, slots=True)
class Subject:
    """A shape that crosses the picture."""

    word: str
    colour: tuple[int, int, int]
    ground: str
    size: tuple[int, int]

    @property
    def prompt(self) -> str:
        side = "right" if self.size[0] >= self.size[1] else "down"
        article = "an" if self.word[0] in "aeiou" else "a"
        return f"{article} {self.word} moving {side} on a {self.ground} background"

    @property
    def slug(self) -> str:
        return f"{self.word.replace(' ', '-')}--{self.size[0]}x{self.size[1]}"


GROUNDS = {
    "black": (12, 12, 14),
    "white": (242, 242, 240),
    "blue": (24, 40, 110),
    "gray": (128,) * 3,
}
SUBJECTS = (
    Subject("red ball", (220, 40, 40), "black", (96, 64)),
    Subject("green box", (40, 180, 70), "white", (96, 64)),
    Subject("yellow triangle", (245, 210, 50), "blue", (64, 96)),
    Subject("purple ball", (160, 60, 200), "gray", (64, 64)),
    Subject("orange box", (245, 130, 30), "blue", (96, 64)),
    Subject("blue triangle", (60, 130, 250), "white", (640, 360)),
)


def film(folder: Path, subject: Subject) -> None:
    """Writes h264.mp4, poster.webp and preview.webp of a subject."""
    folder.mkdir(parents=True)
    frames = [_frame(subject, at / (FRAMES - 1)) for at in range(FRAMES)]
    frames[FRAMES // 2].save(folder / "poster.webp", quality=90)
    frames[0].save(
        folder / "preview.webp", save_all=True, append_images=frames[1::2], duration=250, loop=0
    )
    width, height = subject.size
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    ffmpeg += ["-s", f"{width}x{height}", "-r", str(FPS), "-i", "-", "-pix_fmt", "yuv420p"]
    ffmpeg += ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "14", "-movflags", "+faststart"]
    pixels = b"".join(frame.tobytes() for frame in frames)
    subprocess.run([*ffmpeg, folder / "h264.mp4"], input=pixels, check=True, timeout=60)


def _frame(subject: Subject, at: float) -> Image.Image:
    width, height = subject.size
    image = Image.new("RGB", (width * 2, height * 2), GROUNDS[subject.ground])
    radius = min(width, height) * 0.42
    along = radius + at * (max(width, height) * 2 - 2 * radius)
    x, y = (along, height) if width >= height else (width, along)
    draw = ImageDraw.Draw(image)
    if "ball" in subject.word:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=subject.colour)
    elif "box" in subject.word:
        draw.rectangle((x - radius, y - radius, x + radius, y + radius), fill=subject.colour)
    else:
        corners = [(x, y - radius), (x - radius, y + radius), (x + radius, y + radius)]
        draw.polygon(corners, fill=subject.colour)
    return image.resize(subject.size, Image.Resampling.LANCZOS)


@cache
def ready(number: int) -> ShotView:
    """A shot with a video; every number another one."""
    subject = SUBJECTS[number % len(SUBJECTS)]
    width, height = subject.size
    folder = f"videos/{subject.slug}"
    return ShotView(
        name=f"{subject.slug}--s{number}",
        prompt=subject.prompt,
        negative_prompt="blurry, static, low quality",
        seed=number * 7919 % 100_000,
        width=width,
        height=height,
        frames=FRAMES,
        fps=FPS,
        state="reused" if number % 5 == 3 else "rendered",
        attempts=1,
        gpu_seconds=0.9 + number % 7 * 0.13,
        cost_micro_usd=0 if number % 5 == 3 else 61 + number % 7 * 9,
        render_seconds=1.2 + number % 7 * 0.2,
        stages=(
            StageView("text", 0.04),
            StageView("denoise, high noise", 0.41),
            StageView("denoise, low noise", 0.38),
            StageView("decode", 0.11),
        ),
        poster_href=f"{folder}/poster.webp",
        preview_href=f"{folder}/preview.webp",
        renditions=(
            RenditionView(
                name="h264",
                href=f"{folder}/h264.mp4",
                codec="h264",
                width=width,
                height=height,
                size_bytes=14_213,
                duration_seconds=FRAMES / FPS,
            ),
        ),
        manifest_href=f"{folder}/manifest.json",
        take_id=f"{number:032x}",
        render_key=f"{number * 104_729:064x}",
    )


def stopped(name: str, **about: object) -> ShotView:
    """A shot without a video."""
    plain = {"prompt": f"{name}, seen from above", "state": "failed", "seed": 7}
    size = {"width": 96, "height": 64, "frames": FRAMES, "fps": FPS}
    return ShotView(**{"name": name, **plain, **size, **about})


def stopped_shots() -> tuple[ShotView, ...]:
    """One shot for each way not to end as a video."""
    tomorrow = datetime(2025, 11, 23, 0, 0, tzinfo=UTC)
    quota = "The free plan renders 5 videos a day, and ada has used all of them."
    return (
        stopped(
            "rainbow-cube",
            attempts=3,
            error_stage="decode",
            error_text="The decoded frames hold numbers that are not finite (412 of 104,448).",
            hint="Another seed often helps; the input is kept in the casebook.",
            gpu_seconds=3.1,
            cost_micro_usd=212,
        ),
        stopped("late-ball--s1", state="refused", reason=quota, may_run_at=tomorrow),
        stopped("late-ball--s2", state="refused", reason=quota, may_run_at=tomorrow),
        stopped(
            "party",
            prompt="a party 🎉🎉🎉🎉🎉🎉 with balloons",
            state="rejected",
            reason="Six emoji in a row: the model draws them as noise.",
            hint="Say in words what they stand for.",
        ),
        stopped("review-me", state="held", reason="Nested brackets in a long prompt."),
        stopped("patient", state="waiting"),
        stopped("gone", state="withdrawn", reason="No longer in the brief."),
    )


def edition(shots: tuple[ShotView, ...]) -> EditionView:
    """An edition of these shots, with money that adds up."""
    spending = {"load": 1_210, "text": 96, "denoise": 2_410, "decode": 388, "wait": 71, "idle": 140}
    return EditionView(
        campaign="autumn-shapes",
        title="Autumn shapes",
        description="Simple shapes crossing calm grounds, for the landing page.",
        edition="2025-11-22",
        tenant="acme",
        user="ada",
        release="wan-tiny",
        tier="standard",
        generated_at=NOW,
        shots=shots,
        totals=Totals(
            counts=count_states(shots),
            gpu_seconds=sum(shot.gpu_seconds for shot in shots) + 21.4,
            paid_micro_usd=sum(spending.values()),
            spending=tuple(Spending(kind, paid) for kind, paid in spending.items()),
        ),
        quotas=(
            QuotaLine(
                label="ada, free plan, per day",
                used=5,
                limit=5,
                resets_at=datetime(2025, 11, 23, 0, 0, tzinfo=UTC),
            ),
        ),
        runs=(Link("Run 4f1c22ab", "http://127.0.0.1:3000/runs/4f1c22ab"),),
        index_href="index.html",
    )


def sheet(number: int = 14) -> EditionView:
    """An edition with `number` videos and one shot for each way not to become one."""
    return edition((*map(ready, range(number)), *stopped_shots()))


def index() -> tuple[IndexEntry, ...]:
    """Two campaigns, one of them with two editions, in the order they were rendered."""
    return (
        entry("autumn-shapes", "2025-11-22", range(9)),
        entry("winter-launch", "manual-7", range(1, 13)),
        entry("autumn-shapes", "2025-11-21", range(2, 8)),
    )


def entry(campaign: str, key: str, numbers: range) -> IndexEntry:
    """An edition on the index page, with a poster of each of its videos."""
    view = sheet()
    return IndexEntry(
        campaign=campaign,
        title=campaign.replace("-", " ").capitalize(),
        description=f"What {campaign} is about.",
        edition=key,
        tenant=view.tenant,
        user=view.user,
        release=view.release,
        tier=view.tier,
        generated_at=NOW,
        href="edition.html",
        totals=view.totals,
        posters=tuple(
            PosterView(
                shot=shot.name,
                href=shot.poster_href,
                preview_href=shot.preview_href,
                width=shot.width,
                height=shot.height,
            )
            for shot in map(ready, numbers)
        ),
    )
