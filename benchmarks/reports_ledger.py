"""A ledger of any size, filled as fast as SQLite takes rows: thirty days, fifty campaigns."""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import MICROSECONDS_PER_DAY, to_micros
from wan_pipelines.ledger.statements import table
from wan_pipelines.ledger.tables import (
    Base,
    ChargeRow,
    EditionRow,
    PlanRow,
    PriceRow,
    ShotRow,
    TakeRow,
    TenantRow,
    UserRow,
    WorkerRow,
)

BEGAN = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 30
TENANTS = [f"tenant-{number}" for number in range(5)]
USERS = [f"user-{number}" for number in range(8)]
CAMPAIGNS = 10
TAKES_OF_A_WORKER = 60
PRICES = {"h100": 2_690_000, "l40s": 850_000, "cpu": 100_000}
SPANS = {"load": 2.0, "text": 1.0, "denoise": 60.0, "decode": 9.0, "wait": 2.0, "idle": 1.0}
"""Seconds of each kind that a take is charged for, more or less."""
TIERS = ("draft", "standard", "reference")
KEPT = 60_000


def fill(file: Path, takes: int) -> None:
    """Write a new ledger of so many takes, with six charges each; one in fourteen was wasted."""
    Ledger.open(file).close()
    with Ledger.open(file) as ledger:
        connection = ledger.engine.raw_connection()
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA foreign_keys = OFF")
        writer = _Writer(connection)
        writer.add_all(_surroundings())
        for row, values in _work(takes):
            writer.add(row, values)
        writer.flush()
        connection.close()


@dataclass
class _Writer:
    connection: Any
    rows: dict[type[Base], list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def add_all(self, rows: Iterator[tuple[type[Base], dict[str, Any]]]) -> None:
        for row, values in rows:
            self.add(row, values)

    def add(self, row: type[Base], values: dict[str, Any]) -> None:
        self.rows[row].append({"created_at": 0, **values})
        if len(self.rows[row]) >= KEPT:
            self.flush()

    def flush(self) -> None:
        self.connection.execute("BEGIN")
        for row, values in self.rows.items():
            self.connection.executemany(_statement(row, list(values[0])), values)
        self.connection.execute("COMMIT")
        self.rows.clear()


def _statement(row: type[Base], names: Sequence[str]) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    return f"INSERT INTO {table(row).name} ({columns}) VALUES ({', '.join(f':{n}' for n in names)})"


def _surroundings() -> Iterator[tuple[type[Base], dict[str, Any]]]:
    yield PlanRow, {"name": "all", "updated_at": 0}
    for tenant in TENANTS:
        yield TenantRow, {"name": tenant, "plan": "all", "time_zone": "UTC", "updated_at": 0}
        for user in USERS:
            yield UserRow, {"tenant": tenant, "name": user}
    for number, (gpu_class, price) in enumerate(PRICES.items(), start=1):
        yield (
            PriceRow,
            {
                "id": number,
                "gpu_class": gpu_class,
                "market": "on-demand",
                "micro_usd_per_gpu_hour": price,
                "valid_from": 0,
            },
        )
    for number in range(DAYS * len(TENANTS) * CAMPAIGNS):
        yield EditionRow, _edition(number)


def _edition(number: int) -> dict[str, Any]:
    rest, campaign = divmod(number, CAMPAIGNS)
    day, tenant = divmod(rest, len(TENANTS))
    return {
        "id": number + 1,
        "tenant": TENANTS[tenant],
        "user": USERS[campaign % len(USERS)],
        "campaign": f"campaign-{campaign}",
        "edition": f"day-{day}",
        "admitted_at": to_micros(BEGAN) + day * MICROSECONDS_PER_DAY,
    }


def _work(takes: int) -> Iterator[tuple[type[Base], dict[str, Any]]]:
    chance = random.Random(7)
    editions = DAYS * len(TENANTS) * CAMPAIGNS
    shot = 0
    for first in range(0, takes, TAKES_OF_A_WORKER):
        edition = _edition(first * editions // takes)
        price = chance.randrange(len(PRICES))
        worker = {
            "id": f"{chance.getrandbits(128):032x}",
            "tenant": edition["tenant"],
            "edition_id": edition["id"],
            "run_id": f"run-{edition['id']}",
            "step_key": "takes[0]",
            "host": "node",
            "pid": 1,
            "gpu_class": list(PRICES)[price],
            "gpu_count": 1,
            "price_id": price + 1,
            "started_at": edition["admitted_at"] + chance.randrange(MICROSECONDS_PER_DAY),
            "lost": False,
        }
        now, paid, failed = worker["started_at"], 0, False
        for _ in range(min(TAKES_OF_A_WORKER, takes - first)):
            if not (failed and chance.random() < 0.7):
                shot += 1
                yield ShotRow, _shot(shot, edition["tenant"])
            outcome = chance.choices(("accepted", "failed", "abandoned"), (93, 4, 3))[0]
            failed = outcome != "accepted"
            take, began = f"{chance.getrandbits(128):032x}", now
            for kind, seconds in SPANS.items():
                lasted = int(seconds * chance.uniform(0.8, 1.2) * 1e6)
                money = lasted * list(PRICES.values())[price] // 3_600_000_000
                now, paid = now + lasted, paid + money
                yield (
                    ChargeRow,
                    {
                        "tenant": edition["tenant"],
                        "worker_id": worker["id"],
                        "take_id": take,
                        "kind": kind,
                        "gpu_microseconds": lasted,
                        "micro_usd": money,
                    },
                )
            yield TakeRow, _take(take, shot, edition, worker["id"], outcome, (began, now))
        times = dict.fromkeys(("heartbeat_at", "ended_at", "settled_until"), now)
        yield WorkerRow, {**worker, **times, "paid_micro_usd": paid}


def _shot(number: int, tenant: str) -> dict[str, Any]:
    request = {
        "release": "wan2.2",
        "prompt": f"{number} balls " * 12,
        "seed": number,
        "width": 1280,
        "height": 720,
        "frames": 81,
    }
    return {
        "id": number,
        "tenant": tenant,
        "render_key": sha256(str(number).encode()).hexdigest(),
        "request": json.dumps(request),
        "failures": 0,
    }


def _take(
    name: str,
    shot: int,
    edition: dict[str, Any],
    worker: str,
    outcome: str,
    times: tuple[int, int],
) -> dict[str, Any]:
    told = outcome != "abandoned"
    return {
        "id": name,
        "tenant": edition["tenant"],
        "user": edition["user"],
        "shot_id": shot,
        "edition_id": edition["id"],
        "worker_id": worker,
        "tier": TIERS[shot % len(TIERS)],
        "outcome": outcome,
        "reservation": name,
        "engine": "reference" if told else None,
        "release": "wan2.2" if told else None,
        "fingerprint": "f" * 64,
        "started_at": times[0],
        "ended_at": times[1],
    }
