"""The contact sheet: held-out prompts, each with frames of the clip made from it."""

from pathlib import Path

import numpy as np
from diffusers.pipelines.wan.pipeline_wan import WanPipeline
from PIL import Image, ImageDraw, ImageFont

from training.evaluate import Setting, render_clips

PROMPTS = (
    ("a red ball moving to the right on a black background", (128, 192), 1),
    ("a red ball moving to the right on a black background", (128, 192), 2),
    ("On a white background, a green box is rising", (128, 192), 3),
    ("Purple triangle slides to the left, gray backdrop", (128, 192), 4),
    ("YELLOW DISC FALLS OVER NAVY", (128, 192), 5),
    ("an orange square getting bigger against black", (128, 128), 6),
    ("the blue pyramid shrinks in front of a white background", (128, 128), 7),
    ("a blue circle sliding left over gray", (128, 128), 8),
    ("a yellow cube climbing over a blue background", (192, 128), 9),
    ("a crimson triangle is dropping before a grey backdrop", (192, 128), 10),
)
FRAMES_SHOWN = 5
ROW_HEIGHT = 128
MARGIN = 12


def draw_sheet(pipeline: WanPipeline, file: Path) -> None:
    """Render the prompts and write the sheet as PNG."""
    strips = [_strip(pipeline, *row) for row in PROMPTS]
    row = ROW_HEIGHT + 30 + MARGIN
    width = max(strip.width for strip in strips) + 2 * MARGIN
    sheet = Image.new("RGB", (width, row * len(strips) + MARGIN), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for number, (strip, (prompt, (height, width), seed)) in enumerate(
        zip(strips, PROMPTS, strict=True)
    ):
        top = MARGIN + number * row
        text = f"“{prompt}”   {width} x {height}, seed {seed}"
        pen.text((MARGIN, top), text, fill="black", font=font)
        sheet.paste(strip, (MARGIN, top + 24))
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(200).save(file, optimize=True)


def _strip(pipeline: WanPipeline, prompt: str, size: tuple[int, int], seed: int) -> Image.Image:
    frames = render_clips(pipeline, [prompt], [seed], Setting(size=size))[0]
    shown = frames[np.linspace(0, len(frames) - 1, FRAMES_SHOWN).round().astype(int)]
    images = [Image.fromarray(frame) for frame in shown]
    width = round(size[1] * ROW_HEIGHT / size[0])
    strip = Image.new("RGB", ((width + 4) * FRAMES_SHOWN, ROW_HEIGHT), "white")
    for number, image in enumerate(images):
        strip.paste(image.resize((width, ROW_HEIGHT)), (number * (width + 4), 0))
    return strip
