"""Who holds how many GPUs over the day, under each policy, as an SVG for light and dark pages."""

from collections.abc import Iterator, Mapping, Sequence

from wan_pipelines.scheduling.records import PRIORITY_CLASSES
from wan_pipelines.scheduling.simulation.recording import Stint
from wan_pipelines.scheduling.simulation.scenario import Scenario

WIDTH, PANEL, GAP, LEFT, TOP = 900, 150, 34, 40, 30
STEP_SECONDS = 1200.0
SHADES = {
    "vip": ("#8a3ffc", "#be95ff"),
    "standard": ("#0f62fe", "#33b1ff", "#007d79", "#08bdba", "#4589ff", "#82cfff"),
    "background": ("#6f6f6f", "#a8a8a8"),
}
STYLE = (
    "<style>text{font:13px system-ui,sans-serif;fill:#393939}line{stroke:#8d8d8d}"
    "@media(prefers-color-scheme:dark){text{fill:#e0e0e0}}</style>"
)


def draw(scenario: Scenario, held: Mapping[str, Sequence[Stint]]) -> str:
    """A panel for each policy: GPUs held, stacked by tenant, VIP on top of standard."""
    names = sorted(
        scenario.tenants,
        key=lambda name: -PRIORITY_CLASSES.index(scenario.tenants[name].priority_class),
    )
    colours = dict(_colours(scenario, names))
    hours = max(stint.ended for stints in held.values() for stint in stints) / 3600
    height = TOP + len(held) * (PANEL + GAP) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="GPUs held by each tenant over the day, by policy">{STYLE}',
        *_legend(names, colours),
    ]
    gpus = sum(pool.gpus for pool in scenario.pools.values())
    for number, (policy, stints) in enumerate(held.items()):
        top = TOP + GAP / 2 + number * (PANEL + GAP)
        parts += _panel(policy, stints, names, colours, (top, hours, gpus))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _colours(scenario: Scenario, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        kind = scenario.tenants[name].priority_class
        peers = [each for each in names if scenario.tenants[each].priority_class == kind]
        yield name, SHADES[kind][peers.index(name) % len(SHADES[kind])]


def _legend(names: Sequence[str], colours: Mapping[str, str]) -> Iterator[str]:
    for number, name in enumerate(names):
        x = LEFT + number * (WIDTH - LEFT) / len(names)
        yield f'<rect x="{x:.0f}" y="6" width="11" height="11" fill="{colours[name]}"/>'
        yield f'<text x="{x + 15:.0f}" y="16">{name}</text>'


def _panel(
    policy: str,
    stints: Sequence[Stint],
    names: Sequence[str],
    colours: Mapping[str, str],
    frame: tuple[float, float, int],
) -> Iterator[str]:
    top, hours, gpus = frame
    steps = int(hours * 3600 / STEP_SECONDS) + 1
    across = (WIDTH - LEFT - 10) / (hours * 3600 / STEP_SECONDS)
    below = [0.0] * steps
    yield f'<text x="{LEFT}" y="{top - 4:.0f}">{policy}: GPUs held</text>'
    for name in names:
        above = [low + add for low, add in zip(below, _held(stints, name, steps), strict=True)]
        edge = [*enumerate(above), *reversed(list(enumerate(below)))]
        points = " ".join(
            f"{LEFT + step * across:.1f},{top + PANEL * (1 - value / gpus):.1f}"
            for step, value in edge
        )
        yield f'<polygon points="{points}" fill="{colours[name]}"/>'
        below = above
    floor = top + PANEL
    yield f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{floor:.0f}" y2="{floor:.0f}"/>'
    yield f'<text x="8" y="{top + 12:.0f}">{gpus}</text>'
    for hour in range(0, int(hours) + 1, 2):
        x = LEFT + hour * 3600 / STEP_SECONDS * across
        yield f'<text x="{x:.0f}" y="{floor + 14:.0f}">{hour} h</text>'


def _held(stints: Sequence[Stint], tenant: str, steps: int) -> list[float]:
    """GPUs at the middle of each step."""
    held = [0.0] * steps
    for stint in stints:
        if stint.tenant == tenant:
            first = int(stint.began / STEP_SECONDS + 0.5)
            last = int(stint.ended / STEP_SECONDS + 0.5)
            for step in range(first, min(last, steps)):
                held[step] += 1
    return held
