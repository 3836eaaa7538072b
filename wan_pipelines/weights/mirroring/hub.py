"""Snapshots of a model hub, in its library's own cache."""

import re
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


def download_snapshot(repository: str, revision: str, patterns: tuple[str, ...]) -> Path:
    """The snapshot's folder; what is there already is not fetched again.

    The names of all files are asked for first: pickles and code are refused before anything is
    fetched. WeightsError if it cannot be had.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    words = f"{repository} at {revision}"
    try:
        names = HfApi().list_repo_files(repository, revision=revision)
        chosen = list(matching(names, patterns)) if patterns else names
        refuse_unsafe(words, chosen)
        return Path(
            snapshot_download(repository, revision=revision, allow_patterns=chosen, max_workers=8)
        )
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise WeightsError(
            f"{words} could not be fetched: {error}. What has arrived is kept in the hub's cache; "
            "the next attempt goes on from there."
        ) from error
