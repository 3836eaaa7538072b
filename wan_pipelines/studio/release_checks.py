"""What the releases would take here, and on which GPUs those fit that do not."""

from collections.abc import Iterator

from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.errors import WanError
from wan_pipelines.ledger.footholds import footholds
from wan_pipelines.studio.estimates import Estimator
from wan_pipelines.studio.findings import Finding
from wan_pipelines.studio.fitting import Fitting
from wan_pipelines.studio.studio import Studio
from wan_pipelines.units import GB


def check_footholds(studio: Studio) -> Iterator[Finding]:
    """What begins on a lower rung than it was asked for, because memory or time gave out."""
    for words, found in footholds(studio.ledger):
        yield Finding(
            "ladder",
            "notice",
            f"{words} begins on rung {found.rung} since {found.since:%Y-%m-%d %H:%M} UTC.",
            "A higher rung is tried by itself after a while; a larger GPU would not need it.",
        )


def check_fit(studio: Studio) -> Iterator[Finding]:
    """One finding a release: a clip as a brief gets it that asks for nothing in particular."""
    try:
        releases = studio.releases
    except WanError:  # `check_deployment` has told
        return
    estimator = Estimator(studio)
    fitting = Fitting(studio, estimator)
    for name, release in releases.items():
        check = f"fit of {name}"
        try:
            yield _finding(check, release, estimator, fitting)
        except WanError as error:
            yield Finding(check, "notice", str(error))


def _finding(check: str, release: Release, estimator: Estimator, fitting: Fitting) -> Finding:
    request = _usual(release)
    unfit = fitting.why_unfit_request(request)
    if unfit:
        return Finding(check, "notice", unfit)
    estimate, capacity = estimator.of_request(request), estimator.capacity
    message = (
        f"{request.width}x{request.height} with {request.frames} frames, tier "
        f"{release.default_tier}: about {estimate.seconds:.1f} s and "
        f"{estimate.peak_bytes / GB:.1f} of {capacity.memory_bytes / GB:.1f} GB on "
        f"{capacity.gpu_class}, judging by {estimate.basis}"
    )
    return Finding(check, "ok", message)


def _usual(release: Release) -> RenderRequest:
    size = release.sizes.offered[0]
    return RenderRequest(
        release=release.name,
        release_identity=release.identity,
        prompt="",
        negative_prompt="",
        seed=0,
        width=size.width,
        height=size.height,
        frames=release.frames.default,
        sampling=release.sampling(release.default_tier),
    )
