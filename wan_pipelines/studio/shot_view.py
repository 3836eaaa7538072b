"""What the ledger knows of one shot, in the words of its page."""

from wan_pipelines.campaigns.screening import Rules, screen
from wan_pipelines.encoding.publish import manifest_key
from wan_pipelines.encoding.renditions import PICTURES, POSTER, PREVIEW, RenditionFile
from wan_pipelines.ledger.moments import seconds_of
from wan_pipelines.ledger.records import StageMicroseconds
from wan_pipelines.ledger.reports import ShotView
from wan_pipelines.pages import view
from wan_pipelines.pages.links import relative_href
from wan_pipelines.pages.states import State

SHOWN_DIGITS = 12


def shot_view(tenant: str, shot: ShotView, page: str, rules: Rules) -> view.ShotView:
    """A shot as the page under the key `page` shows it; addresses are relative to that page."""
    request = shot.request
    files = {file.name: file for file in shot.renditions}
    return view.ShotView(
        name=shot.shot,
        prompt=request["prompt"],
        negative_prompt=request["negative_prompt"],
        seed=request["seed"],
        width=request["width"],
        height=request["height"],
        frames=request["frames"],
        fps=shot.fps,
        state=state_of(shot),
        reason=shot.reason,
        hint=_hint(shot, rules),
        may_run_at=shot.may_run_at,
        attempts=shot.attempts,
        error_text=shot.error_message or "",
        error_stage=shot.error_stage or "",
        gpu_seconds=seconds_of(shot.gpu_microseconds),
        cost_micro_usd=shot.cost_micro_usd,
        render_seconds=render_seconds(shot),
        stages=_stages(shot.stages),
        poster_href=_href(files.get(POSTER), page),
        preview_href=_href(files.get(PREVIEW), page),
        renditions=tuple(
            _rendition(file, page) for file in files.values() if file.name not in PICTURES
        ),
        manifest_href=_manifest_href(tenant, shot, page),
        take_id=shot.take_id or "",
        render_key=shot.render_key,
        parents=_parents(shot),
        degraded=", ".join(shot.rungs) if shot.degraded else "",
    )


def state_of(shot: ShotView) -> State:
    """What became of a shot, in the page's words."""
    match shot.state, shot.outcome:
        case ("held" | "rejected" | "refused" | "withdrawn" | "duplicate") as state, _:
            return state
        case _, "accepted":
            return "reused" if shot.reused else "rendered"
        case _, "failed":
            return "failed"
        case _:
            return "waiting"


def render_seconds(shot: ShotView) -> float:
    """Wall seconds from text to frames, of the latest take."""
    return sum(stage.seconds for stage in _stages(shot.stages))


def _hint(shot: ShotView, rules: Rules) -> str:
    """What to do about a prompt that screening stopped, as the rules stand now."""
    if shot.state not in ("held", "rejected"):
        return ""
    verdicts = (screen(shot.request[text], rules) for text in ("prompt", "negative_prompt"))
    return next((verdict.hint for verdict in verdicts if verdict.outcome == shot.state), "")


def _href(file: RenditionFile | None, page: str) -> str:
    return relative_href(page, file.key) if file else ""


def _manifest_href(tenant: str, shot: ShotView, page: str) -> str:
    """Empty when there is no video, and so no manifest beside it."""
    if shot.take_id is None or not shot.renditions:
        return ""
    return relative_href(page, manifest_key(tenant, shot.render_key, shot.take_id))


def _rendition(file: RenditionFile, page: str) -> view.RenditionView:
    return view.RenditionView(
        name=file.name,
        href=relative_href(page, file.key),
        codec=file.codec,
        width=file.width,
        height=file.height,
        size_bytes=file.size_bytes,
        duration_seconds=file.duration_seconds,
    )


def _stages(stages: StageMicroseconds | None) -> tuple[view.StageView, ...]:
    if stages is None:
        return ()
    return tuple(
        view.StageView(name.replace("_", " "), seconds_of(getattr(stages, name)))
        for name in StageMicroseconds.__slots__
    )


def _parents(shot: ShotView) -> tuple[str, ...]:
    """What the shot was made from; its manifest has the same in full."""
    request = shot.request
    release = f"release {request['release']} {request['release_identity'][:SHOWN_DIGITS]}"
    run = (f"run {shot.run_id}",) if shot.run_id else ()
    return (release, *run)
