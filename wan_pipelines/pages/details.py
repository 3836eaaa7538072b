"""What the dialog of an edition's page shows of each shot, as data beside the cards.

Names and prompts stand in the cards. What all shots share (labels, negative prompts, the beginning
of a shot's addresses) is written once, so that a page of thousands of shots stays small.
"""

from typing import Any

from jinja2.filters import do_filesizeformat

from wan_pipelines.pages.formats import CODECS, exact_money, plural, seconds, when
from wan_pipelines.pages.links import common_base, file_href
from wan_pipelines.pages.states import WORDINGS
from wan_pipelines.pages.view import EditionView, RenditionView, ShotView

LABELS = ("Seed", "Shape", "Cost", "GPU time", "Render time", "Attempts", "May run", "Degraded")


def edition_details(view: EditionView) -> dict[str, Any]:
    """The JSON document of a page: what is `shared`, and one record per shot in order."""
    negatives = {shot.negative_prompt: None for shot in view.shots}
    places = {text: place for place, text in enumerate(negatives)}
    return {
        "labels": LABELS,
        "shared": [["Release", view.release], ["Tier", view.tier]],
        "negatives": list(negatives),
        "states": {state: words.label for state, words in WORDINGS.items()},
        "shots": [_shot(shot, places[shot.negative_prompt]) for shot in view.shots],
    }


def _shot(shot: ShotView, negative: int) -> dict[str, Any]:
    hrefs = [file.href for file in shot.renditions]
    hrefs += [href for href in (shot.poster_href, shot.manifest_href) if href]
    base = common_base([file_href(href) for href in hrefs])
    film = shot.film
    record: dict[str, Any] = {
        "negative": negative,
        "facts": _facts(shot),
        "base": base,
        "film": film.href.removeprefix(base) if film else "",
        "poster": shot.poster_href.removeprefix(base),
        "manifest": shot.manifest_href.removeprefix(base),
        "files": [_file(file, base) for file in shot.renditions],
        "stages": [[stage.name, round(stage.seconds, 3)] for stage in shot.stages],
        "key": shot.render_key,
        "take": shot.take_id,
        "parents": list(shot.parents),
        "error": shot.error_text,
        "stage": shot.error_stage,
        "reason": shot.reason,
        "hint": shot.hint,
    }
    return {name: value for name, value in record.items() if value or name == "negative"}


def _facts(shot: ShotView) -> list[str]:
    """One text per label; an empty one is not shown."""
    length = seconds(shot.frames / shot.fps)
    return [
        str(shot.seed),
        f"{shot.width} × {shot.height}, {plural(shot.frames, 'frame')}, {shot.fps} fps, {length}",
        exact_money(shot.cost_micro_usd) if shot.cost_micro_usd is not None else "",
        seconds(shot.gpu_seconds) if shot.gpu_seconds else "",
        seconds(shot.render_seconds) if shot.render_seconds else "",
        str(shot.attempts) if shot.attempts > 1 else "",
        when(shot.may_run_at) if shot.may_run_at else "",
        shot.degraded,
    ]


def _file(file: RenditionView, base: str) -> list[str]:
    codec = CODECS.get(file.codec, file.codec)
    about = f"{codec}, {file.width} × {file.height}, {do_filesizeformat(file.size_bytes)}"
    return [file.name, file.href.removeprefix(base), about]
