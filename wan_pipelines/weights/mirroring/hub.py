"""Snapshots of a model hub, in its library's own cache."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.mirroring.origins import COMMIT, matching, refuse_unsafe

ADDRESS = re.compile(r"hub:([\w.-]+/[\w.-]+)@(\S+)", re.ASCII)


def parse_address(text: str) -> tuple[str, str]:
    """Repository and commit of `hub:org/name@commit`; WeightsError for anything that moves."""
    found = ADDRESS.fullmatch(text)
    if not found or not COMMIT.fullmatch(found[2]):
        raise WeightsError(
            f"{text!r} pins nothing. Write hub:organisation/name@ and the 40 digits of a commit: "
            "branches and tags move."
        )
    return found[1], found[2]


def list_files(repository: str, revision: str, patterns: tuple[str, ...]) -> dict[str, int]:
    """Bytes of the files that match, by their paths; WeightsError if the hub does not tell.

    Pickles and code are refused by name.
    """
    from huggingface_hub import HfApi

    words = f"{repository} at {revision}"
    with _explained(words):
        info = HfApi().model_info(repository, revision=revision, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    chosen = list(matching(sizes, patterns)) if patterns else list(sizes)
    refuse_unsafe(words, chosen)
    return {path: sizes[path] for path in chosen}


def download_snapshot(repository: str, revision: str, patterns: tuple[str, ...]) -> Path:
    """The snapshot's folder; what is there already is not fetched again.

    The names of all files are asked for first: pickles and code are refused before anything is
    fetched. WeightsError if it cannot be had.
    """
    from huggingface_hub import snapshot_download

    sizes = list_files(repository, revision, patterns)
    with _explained(f"{repository} at {revision}"):
        return Path(
            snapshot_download(
                repository, revision=revision, allow_patterns=list(sizes), max_workers=8
            )
        )


@contextmanager
def _explained(words: str) -> Iterator[None]:
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        yield
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise WeightsError(
            f"{words} could not be fetched: {error}. What has arrived is kept in the hub's cache; "
            "the next attempt goes on from there."
        ) from error
