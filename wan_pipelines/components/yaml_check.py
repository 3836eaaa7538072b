"""Reads the YAML before Dagster does: errors then name file, line, field and remedy."""

from collections.abc import Iterable
from pathlib import Path

from wan_pipelines.campaigns import brief as briefs
from wan_pipelines.engines import releases
from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.studio import settings
from wan_pipelines.yaml_source import component_type, load_yaml

YAML = "defs.yaml"
GLOB = f"**/{YAML}"
OURS = "wan_pipelines.components."
KNOWN = (briefs.COMPONENT, releases.COMPONENT, settings.COMPONENT)


def check_yaml(root: Path, environment: str) -> None:
    """InputError for the first problem of a brief, a release or the environment."""
    assets = root / "assets"
    paths = sorted(assets.glob(GLOB))
    by_type = [(component_type(path), path) for path in paths]
    known = releases.read_releases(assets)
    for kind, path in by_type:
        if kind == releases.COMPONENT:
            _check_release(path, assets / "models")
        elif kind == briefs.COMPONENT:
            _check_brief(path, assets / "campaigns", known)
        elif kind.startswith(OURS):
            raise _misplaced(path, kind)
    if not (root / "resources" / environment).is_dir():
        raise _unknown_environment(root / "resources", environment)
    _check_gpu_classes(root, settings.read_settings(root, environment))


def _check_release(path: Path, models: Path) -> None:
    release = releases.read_release(path)
    _check_place(path, models, release.name)


def _check_brief(path: Path, campaigns: Path, known: Iterable[str]) -> None:
    brief = briefs.read_brief(path)
    _check_place(path, campaigns, brief.name)
    if brief.release not in known:
        raise InputError(
            f"`attributes.release` is {brief.release!r}, which is no release of assets/models.",
            where=load_yaml(path).where(("attributes", "release")),
            remedy=did_you_mean(brief.release, known),
        )


def _misplaced(path: Path, kind: str) -> InputError:
    what = "belongs into resources/" if kind in KNOWN else "is no type of component"
    return InputError(
        f"`type` is {kind}, which {what}.",
        where=load_yaml(path).where(("type",)),
        remedy=did_you_mean(kind, KNOWN[:2]),
    )


def _check_gpu_classes(root: Path, environment: settings.Settings) -> None:
    for path in sorted((root / "assets" / "campaigns").glob(GLOB)):
        wanted = briefs.read_brief(path).gpu_class
        if wanted is not None and wanted not in environment.gpu_classes:
            raise InputError(
                f"`attributes.gpu_class` is {wanted!r}, which environment {environment.name!r} "
                "does not have.",
                where=load_yaml(path).where(("attributes", "gpu_class")),
                remedy=did_you_mean(wanted, environment.gpu_classes),
            )


def _check_place(path: Path, folder: Path, name: str) -> None:
    expected = folder / name / YAML
    if path != expected:
        raise InputError(
            f"{name!r} is looked for in another place.", where=str(path), remedy=f"Use {expected}."
        )


def _unknown_environment(resources: Path, environment: str) -> InputError:
    known = [path.parent.name for path in resources.glob(f"*/{YAML}")]
    return InputError(
        f"there is no environment {environment!r}.",
        where=str(resources),
        remedy=f"Set WAN_PIPELINES_ENV. {did_you_mean(environment, known)}",
    )
