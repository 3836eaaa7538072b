"""Styles and scripts inside the page, and the policy that allows them and nothing else."""

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Inlined:
    """A page's own style and script, and its Content-Security-Policy."""

    style: Markup
    script: Markup
    policy: str


@cache
def inlined(styles: tuple[str, ...], scripts: tuple[str, ...]) -> Inlined:
    """The named files of `static/`, joined. Whatever else gets into a page is not executed."""
    style, script = _joined(styles), _joined(scripts)
    policy = {
        "default-src": "'none'",
        "script-src": _digest(script),
        "style-src": _digest(style),
        "img-src": "'self' file: https: data:",
        "media-src": "'self' file: https:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    text = "; ".join(f"{directive} {sources}" for directive, sources in policy.items())
    # Our own files, without a closing tag in them: the only markup that is not escaped.
    return Inlined(Markup(style), Markup(script), text)  # noqa: S704


def _joined(names: tuple[str, ...]) -> str:
    folder = files("wan_pipelines.pages") / "static"
    return "\n".join((folder / name).read_text("utf-8") for name in names)


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
