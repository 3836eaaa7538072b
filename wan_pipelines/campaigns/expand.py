"""A brief becomes its shots: prompts x variables x shapes x seeds, in this order, the last fastest.

The same brief gives the same shots in the same order, always. Two equal shots are both there: the
second is called "...--2", and the ledger reports it as a duplicate. So it does with shots that only
differ in their frame rate; each of them gets files at its own.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.campaigns.matrix import Matrix, matrix_of
from wan_pipelines.campaigns.prompt_files import read_prompts
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.campaigns.templates import variables_in
from wan_pipelines.campaigns.whereabouts import PlacedPrompt, Whereabouts
from wan_pipelines.engines.releases import Release
from wan_pipelines.hints import did_you_mean

MAX_SHOTS = 100_000


def expand(brief: Brief, release: Release, folder: Path) -> tuple[Shot, ...]:
    """All shots of the brief that lies in `folder`.

    InputError names file and line or row, field, value and remedy; WeightsError when the release
    cannot be identified because its packaged weights are missing.
    """
    place = Whereabouts(brief.name, folder)
    matrix = matrix_of(brief, release, place)
    prompts = _prompts(brief, place)
    _check_size(matrix, prompts, place)
    _check_variables(brief, prompts, place)
    shots: dict[str, Shot] = {}
    times: Counter[str] = Counter()
    for placed in prompts:
        for shot in matrix.shots_of(placed):
            times[shot.name] += 1
            if times[shot.name] == 1:
                shots[shot.name] = shot
                continue
            if shot.request != shots[shot.name].request:
                raise placed.place.error(
                    ("name",),
                    f"would give two different shots the name {shot.name!r}.",
                    "Give each prompt and each shape a name of its own.",
                )
            name = f"{shot.name}--{times[shot.name]}"
            shots[name] = replace(shot, name=name)
    return tuple(shots.values())


def check_renditions(brief: Brief, known: Collection[str], folder: Path) -> None:
    """InputError unless every rendition that the brief asks for is one of the `known` names."""
    for index, name in enumerate(brief.renditions):
        if name not in known:
            raise Whereabouts(brief.name, folder).error(
                ("renditions", index), f"is {name!r}.", did_you_mean(name, known)
            )


def _prompts(brief: Brief, place: Whereabouts) -> tuple[PlacedPrompt, ...]:
    if brief.prompts_file:
        return read_prompts(brief.prompts_file, place)
    return tuple(
        PlacedPrompt(prompt, place.of_prompt(index)) for index, prompt in enumerate(brief.prompts)
    )


def _check_variables(brief: Brief, prompts: Sequence[PlacedPrompt], place: Whereabouts) -> None:
    used = {name for placed in prompts for name in variables_in(placed.prompt.prompt)}
    for name in brief.variables:
        if name not in used:
            raise place.error(
                ("variables", name),
                "is used by no prompt.",
                f"Write {{{name}}} in a prompt, or remove the variable.",
            )


def _check_size(matrix: Matrix, prompts: Sequence[PlacedPrompt], place: Whereabouts) -> None:
    shots = sum(map(matrix.count, prompts))
    if shots > MAX_SHOTS:
        raise place.error(
            (),
            f"makes {shots:,} shots; at most {MAX_SHOTS:,} are possible.",
            "Split the campaign, or reduce variables, seeds, variants or shapes.",
        )
