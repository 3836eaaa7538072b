"""Where the weights of a release are had from: its model, what continues segments, its LoRAs."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wan_pipelines.engines.release_parts import (
    FolderWeights,
    HubWeights,
    Lora,
    MirroredWeights,
    Mirroring,
    PackagedWeights,
    WeightsSpec,
)
from wan_pipelines.engines.served import ServedWeights
from wan_pipelines.places import project_root
from wan_pipelines.weights.mirrored import MirroredSource, Supply
from wan_pipelines.weights.pins import Pin
from wan_pipelines.weights.sources import FolderSource, HubSource, PackagedSource, WeightsSource

if TYPE_CHECKING:
    from wan_pipelines.engines.releases import Release

CONTINUING = "image-to-video"


@dataclass(frozen=True, slots=True)
class MirroredSet:
    """A set of weights that a release's nodes fetch from the mirror, and how it got there.

    `hub` is where it is mirrored from unless somebody says otherwise; None if only they know.
    """

    pin: Pin
    hub: HubWeights | None
    mirroring: Mirroring


def mirrored_sets(release: "Release") -> tuple[MirroredSet, ...]:
    """Everything that its nodes fetch from the mirror; empty for one that needs none."""
    return tuple(_mirrored_sets(release))


def model_source(release: "Release", supply: Supply) -> WeightsSource:
    """Where the model itself is had from."""
    return source_of(release, release.source, supply, release.name)


def continuing_source(release: "Release", supply: Supply) -> WeightsSource | None:
    """As `model_source`, of the image-to-video model of its segments; None without."""
    image = release.segments.image_to_video if release.segments else None
    return source_of(release, image.source, supply, _continuing(release)) if image else None


def lora_source(release: "Release", lora: Lora, supply: Supply) -> WeightsSource:
    """Where the one file of a LoRA is had from: the mirror, if the model is."""
    hub = _hub_of(lora)
    source = _from_hub(release, hub, supply, f"{release.name} ({lora.expert}-noise LoRA)")
    if not _is_mirrored(release.source):
        return source
    return _mirrored(_lora_pin(release, lora), supply, source)


def source_of(release: "Release", source: WeightsSpec, supply: Supply, name: str) -> WeightsSource:
    """Where weights are had from that lie under that name in a mirror."""
    match source:
        case PackagedWeights(package=package):
            return PackagedSource(package)
        case FolderWeights(folder=folder):
            return FolderSource(project_root() / folder)
        case ServedWeights() as served:
            return served.source(release.dtype)
        case MirroredWeights() as mirrored:
            return MirroredSource(mirrored.pin, supply)
        case HubWeights() as hub:
            downloaded = _from_hub(release, hub, supply, release.name)
            if hub.mirror is None:
                return downloaded
            return _mirrored(Pin(name=name, revision=hub.revision), supply, downloaded)


def _mirrored_sets(release: "Release") -> Iterator[MirroredSet]:
    image = release.segments.image_to_video if release.segments else None
    yield from _set_of(release.source, release.name)
    if image:
        yield from _set_of(image.source, _continuing(release))
    if _is_mirrored(release.source):
        for lora in release.all_loras:
            yield MirroredSet(_lora_pin(release, lora), _hub_of(lora), Mirroring())


def _set_of(source: WeightsSpec, name: str) -> Iterator[MirroredSet]:
    match source:
        case MirroredWeights() as mirrored:
            yield MirroredSet(mirrored.pin, None, Mirroring())
        case HubWeights(mirror=Mirroring() as mirroring) as hub:
            yield MirroredSet(Pin(name=name, revision=hub.revision), hub, mirroring)
        case _:
            return


def _is_mirrored(source: WeightsSpec) -> bool:
    return any(_set_of(source, "x"))


def _mirrored(pin: Pin, supply: Supply, downloaded: HubSource) -> MirroredSource:
    """From the hub only where that is allowed, and the mirror does not have it."""
    return MirroredSource(pin, supply, downloaded if supply.allow_download else None)


def _from_hub(release: "Release", hub: HubWeights, supply: Supply, words: str) -> HubSource:
    return HubSource(
        release=words,
        repository=hub.repository,
        revision=hub.revision,
        dtype=release.dtype,
        allow_patterns=hub.files,
        size_bytes=hub.size_bytes,
        allow_download=supply.allow_download,
    )


def _hub_of(lora: Lora) -> HubWeights:
    return HubWeights(
        repository=lora.repository,
        revision=lora.revision,
        files=(lora.file,),
        size_bytes=lora.size_bytes,
    )


def _continuing(release: "Release") -> str:
    return f"{release.name}.{CONTINUING}"


def _lora_pin(release: "Release", lora: Lora) -> Pin:
    file = hashlib.sha256(f"{lora.repository}/{lora.file}".encode()).hexdigest()[:8]
    return Pin(name=f"{release.name}.lora-{file}", revision=lora.revision)
