"""Two tenants of one house with campaigns, editions and shots of the same names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Table, select

from tests.ledger.scenes import CHANGE, DRAWN_IN_TILES, Hand, Scene, shot, shots
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.guard.ties import TENANT, TENANTS, is_tenants
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.leases import Lease
from wan_pipelines.ledger.limit_changes import change_limit
from wan_pipelines.ledger.reports import videos
from wan_pipelines.ledger.reviews import review
from wan_pipelines.ledger.tables import Base
from wan_pipelines.ledger.whose import House

VICTIM = EditionKey("acme", "ada", "demo", "first")
THIEF = EditionKey("bolt", "bob", "demo", "first")
SECRET = "an owl that nobody else may know of"
HELD = "a held owl"


@dataclass(frozen=True)
class World:
    """Tenant acme, who is to be left alone, and bolt, who asks for what is called the same.

    Acme has a video, one that was drawn with less, a shot under way, a held prompt, a review and a
    limit of its own; `secrets` are what only acme may be told. `render_key` is that of a shot of
    both, `hand` and `lease` are acme's, `ours` is bolt's worker.
    """

    scene: Scene
    take_id: str
    render_key: str
    hand: Hand
    lease: Lease
    ours: str
    secrets: tuple[str, ...]

    @property
    def ledger(self) -> Ledger:
        return self.scene.ledger

    @property
    def stolen(self) -> Lease:
        """Acme's lease, as if it were bolt's."""
        return replace(self.lease, tenant=THIEF.tenant, worker_id=self.ours)


def build(ledger: Ledger) -> World:
    scene = Scene(ledger)
    same, secret, running = shots("same")[0], shot("secret", SECRET), shots("running")[0]
    held = shot("held", HELD, verdict="held", reason="why")
    scene.admit([same, secret, running, held], VICTIM)
    hand = scene.worker(VICTIM)
    take_id = hand.render(same)
    less = hand.render(secret, report=DRAWN_IN_TILES)
    lease = hand.lease(running, seconds=10**6)
    review(ledger, "acme", SECRET, "released", decided_by="ada", now=scene.now)
    change_limit(ledger, replace(CHANGE, reason=SECRET))
    scene.admit(shots("same", "mine"), THIEF)
    uris = [video.uri for video in videos(ledger, "acme")]
    secrets = (SECRET, HELD, take_id, less, lease.take_id, hand.id, *uris)
    ours = scene.worker(THIEF).id
    return World(scene, take_id, same.render_key, hand, lease, ours, secrets)


def rows_of(ledger: Ledger, tenant: str) -> dict[str, list[Mapping[str, Any]]]:
    """All rows of a tenant, by table."""
    with ledger.read(House("audit")) as session:
        return {
            table.name: [dict(row) for row in session.execute(_of(table, tenant)).mappings()]
            for table in Base.metadata.sorted_tables
            if is_tenants(table)
        }


def _of(table: Table, tenant: str) -> Any:
    order = list(table.primary_key.columns)
    if table.name == TENANTS:
        return select(table).where(table.c.name == tenant)
    if TENANT in table.columns:
        return select(table).where(table.c[TENANT] == tenant).order_by(*order)
    key = next(_keys_to_owners(table))
    owner = key.column.table
    owned = select(key.column).where(owner.c[TENANT] == tenant)
    return select(table).where(key.parent.in_(owned)).order_by(*order)


def _keys_to_owners(table: Table) -> Iterator[Any]:
    return (key for key in table.foreign_keys if TENANT in key.column.table.columns)
