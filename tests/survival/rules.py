"""What must hold of a deployment after anything happened and the next run went through."""

import hashlib
import math
from pathlib import Path

from sqlalchemy import select

from tests.ledger import books
from wan_pipelines.encoding.probe import probe
from wan_pipelines.encoding.publish import manifest_key, read_manifest
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.reports import edition_shots_view, output_files, run_costs
from wan_pipelines.ledger.tables import TakeRow
from wan_pipelines.ledger.whose import House
from wan_pipelines.storage import FolderStore
from wan_pipelines.storage.atomic import sweep
from wan_pipelines.studio.studio import Studio

VIDEO_SUFFIXES = {".mp4", ".webp"}
TO_BE_RENDERED = ("admitted", "reused", "duplicate")


def check(studio: Studio, *editions: EditionKey) -> None:
    """Everything at once."""
    books.check(studio.ledger)
    for edition in editions:
        check_videos(studio, edition)
    check_nothing_rendered_twice(studio.ledger)
    check_money(studio.ledger)
    check_quota(studio.ledger)
    check_files(studio)
    check_leftovers(studio)


def check_videos(studio: Studio, edition: EditionKey) -> None:
    """Every shot that was admitted has its one accepted take, with all files as they were made."""
    shots = edition_shots_view(studio.ledger, edition)
    wanted = [shot for shot in shots if shot.state in TO_BE_RENDERED]
    assert wanted
    for shot in wanted:
        assert shot.outcome == "accepted", (shot.shot, shot.state, shot.error_message)
        assert shot.take_id is not None
        assert set(shot.renditions_wanted) <= {file.name for file in shot.renditions}
        key = manifest_key(edition.tenant, shot.render_key, shot.take_id)
        manifest = read_manifest(studio.store, key)
        published = {file.name: file.sha256 for file in shot.renditions}
        assert {file.name: file.sha256 for file in manifest.renditions} == published
    for file in output_files(studio.ledger, edition.tenant, edition.campaign, edition.edition):
        content = studio.store.read_bytes(file.key)
        assert hashlib.sha256(content).hexdigest() == file.sha256, file.key


def check_nothing_rendered_twice(ledger: Ledger) -> None:
    """No take of a shot began after one of the shot was accepted."""
    columns = (TakeRow.shot_id, TakeRow.outcome, TakeRow.started_at, TakeRow.ended_at)
    with ledger.read(House("audit")) as session:
        takes = session.execute(select(*columns)).all()
    ended = {take.shot_id: take.ended_at for take in takes if take.outcome == "accepted"}
    others = [take for take in takes if take.outcome not in ("accepted", "forgotten")]
    assert not [take for take in others if take.started_at > ended.get(take.shot_id, math.inf)]
    assert not [take for take in takes if take.outcome == "running"]


def check_money(ledger: Ledger) -> None:
    """All workers are settled, and each run's charges are what was paid, to the micro-dollar."""
    for run in run_costs(ledger, House("invoice")):
        assert run.open_workers == 0
        assert run.paid_micro_usd == run.charged_micro_usd
        assert run.paid_micro_usd > 0


def check_quota(ledger: Ledger) -> None:
    """What is used of the quota is the takes that were accepted, and nothing more."""
    assert sum(books.used(ledger).values()) == books.takes_ever_accepted(ledger)


def check_files(studio: Studio) -> None:
    """Whatever lies under its final name is whole, whosever it is; nothing else lies about."""
    if isinstance(studio.store, FolderStore):
        _check_folder(studio.store.root)
    assert not _inside(studio.cache / "drafts")


def _check_folder(store: Path) -> None:
    """What killed writers staged is swept when it is a minute old; here it is now."""
    sweep(store / ".staging", older_than_seconds=0)
    files = [path for path in store.rglob("*") if path.is_file()]
    for path in files:
        assert not path.name.startswith("."), f"{path} was left behind"
        if path.suffix in VIDEO_SUFFIXES and path.stem != "posters":
            probe(path)


def check_leftovers(studio: Studio) -> None:
    """The store holds no files of takes that were not accepted."""
    kept = select(TakeRow.id).where(TakeRow.outcome.in_(("accepted", "forgotten")))
    with studio.ledger.read(House("audit")) as session:
        takes = set(session.scalars(kept))
    videos = [info.key for info in studio.store.list("tenants/") if "/videos/" in info.key]
    assert {key.split("/")[-2] for key in videos} <= takes


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
