"""Is what the YAML declares fit to be rendered here?"""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from time import monotonic

from wan_pipelines.engines.needs import unmet_needs
from wan_pipelines.engines.prepare import fingerprint_of, load
from wan_pipelines.engines.served import ServedWeights
from wan_pipelines.ledger.money import dollars
from wan_pipelines.ledger.prices import known_price
from wan_pipelines.studio.engines import open_release_engine
from wan_pipelines.studio.findings import Finding, told
from wan_pipelines.studio.studio import Studio

LOADED_UP_TO_BYTES = 2**30
"""Weights up to this size are loaded to see whether they do; larger ones are only verified."""


def check_deployment(studio: Studio) -> Iterator[Finding]:
    """Findings about prices, quota, briefs and releases."""
    yield _price(studio)
    yield _quota(studio)
    releases = told("releases", lambda: ", ".join(studio.releases))
    yield releases
    if releases.state == "ok":
        yield told("briefs", lambda: _briefs(studio))
        for release in studio.releases:
            yield _release(studio, release)


def _price(studio: Studio) -> Finding:
    name, rendering = studio.settings.gpu_class, studio.settings.rendering_class
    message = f"an hour of {rendering.gpu_count} x {name} costs"
    price = known_price(studio.ledger, name, datetime.now(UTC), rendering.market)
    if price is None:
        remedy = f"Let the first of gpu_classes.{name}.prices begin earlier: nothing is rendered."
        return Finding("price", "problem", f"No price of {name} has begun yet.", remedy)
    if price.micro_usd_per_gpu_hour:
        total = dollars(rendering.gpu_count * price.micro_usd_per_gpu_hour)
        return Finding("price", "ok", f"{message} {total}")
    remedy = f"Set gpu_classes.{name}.price_usd_per_hour, or every video counts as free."
    return Finding("price", "notice", f"{message} nothing.", remedy)


def _quota(studio: Studio) -> Finding:
    settings = studio.settings
    limits = {name: settings.plans[tenant.plan].limits for name, tenant in settings.tenants.items()}
    idle = [name for name, found in limits.items() if any(limit.most == 0 for limit in found)]
    if idle:
        remedy = "Give their plans limits above 0."
        return Finding("quota", "notice", f"{', '.join(idle)} may render nothing.", remedy)
    told_limits = (
        f"{name} {', '.join(limit.told for limit in found) or 'unlimited'}"
        for name, found in limits.items()
    )
    return Finding("quota", "ok", "; ".join(told_limits))


def _briefs(studio: Studio) -> str:
    """Expands every campaign; InputError for one that cannot be, or that nobody would pay for."""
    briefs = studio.briefs()
    for brief in briefs.values():
        studio.settings.tenant(brief.tenant)
    shots = sum(len(studio.shots(name)) for name in briefs)
    return f"{len(briefs)} campaigns with {shots} shots"


def _release(studio: Studio, name: str) -> Finding:
    check = f"release {name}"
    if find_spec("torch") is None:
        return Finding(check, "notice", "Without torch nothing is rendered here, only planned.")
    rendering = studio.settings.rendering_class
    release = studio.release(name)
    fingerprint = fingerprint_of(release, rendering.device, studio.settings.workers.threads)
    unmet = unmet_needs(release.needs, fingerprint)
    if unmet:
        message = f"This machine cannot render it ({'; '.join(unmet)}); others are not affected."
        return Finding(check, "notice", message)
    if isinstance(release.source, ServedWeights):
        return told(check, lambda: _server(studio, name))
    return told(check, lambda: _weights(studio, name))


def _server(studio: Studio, name: str) -> str:
    """Asks the server that renders a release whether it does."""
    engine = open_release_engine(studio, name)
    return f"its server renders it ({engine.name})"


def _weights(studio: Studio, name: str) -> str:
    """Verifies the weights of a release and loads them if they are small."""
    prepared = studio.prepare(name)
    if sum(file.size for file in prepared.weights.manifest.files) > LOADED_UP_TO_BYTES:
        return "weights verified"
    started = monotonic()
    load(prepared)
    return f"weights verified, loaded in {monotonic() - started:.1f} s"
