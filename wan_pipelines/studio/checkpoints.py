"""Half-rendered shots of a deployment: where they are, for how long, and what is said of them."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from wan_pipelines.errors import StorageError
from wan_pipelines.rendering.checkpoints import StoredCheckpoints, remove_older
from wan_pipelines.rendering.takes import CheckpointUse
from wan_pipelines.storage.keys import checkpoints_prefix
from wan_pipelines.studio.studio import Studio

log = logging.getLogger(__name__)


def checkpoints_of(studio: Studio, tenant: str) -> StoredCheckpoints:
    """Those of one tenant: going on from another's would tell what it has rendered."""
    return StoredCheckpoints(studio.checkpoints, checkpoints_prefix(tenant))


def remove_old_checkpoints(studio: Studio) -> None:
    """Remove those of shots that nobody wanted any more."""
    limit = datetime.now(UTC) - timedelta(hours=studio.settings.checkpoints.keep_hours)
    try:
        remove_older(studio.checkpoints, limit)
    except StorageError as error:
        log.warning("Old checkpoints could not be removed: %s", error)


def told_of(use: CheckpointUse, *, was_accepted: bool) -> Iterator[str]:
    """What became of the checkpoints of a take, for people."""
    if use.refused:
        yield f"started over: {use.refused}"
    if use.resumed_steps:
        yield f"went on after step {use.resumed_steps}, where an earlier attempt was stopped"
    if use.saved_steps and not was_accepted:
        yield f"kept after step {use.saved_steps}: the next attempt goes on from there"
    if use.unsaved:
        yield f"could not be kept: {use.unsaved}"
