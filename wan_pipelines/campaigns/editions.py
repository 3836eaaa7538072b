"""Editions: one scheduled or launched rendering of a campaign, and the keys they are known by."""

import hashlib
import json
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.campaigns.prompt_files import read_prompts
from wan_pipelines.campaigns.whereabouts import Whereabouts
from wan_pipelines.errors import InputError
from wan_pipelines.validation import shown

EDITION_FORMAT = "%Y-%m-%d-%H%M"
MAX_EDITION_CHARACTERS = 100

# A partition key, a folder and a part of a URL at once.
_EDITION = re.compile(r"[A-Za-z0-9]+([._+-][A-Za-z0-9]+)*")


def check_edition(edition: str) -> str:
    """The key, if it may name an edition; else InputError."""
    if len(edition) > MAX_EDITION_CHARACTERS or not _EDITION.fullmatch(edition):
        raise InputError(
            f"{shown(edition)} cannot be the key of an edition.",
            where="edition",
            remedy=f"Use letters and digits, single . _ + - between them, and at most "
            f"{MAX_EDITION_CHARACTERS} characters, such as 2026-11-01-0300.",
        )
    return edition


def edition_at(moment: datetime, time_zone: str) -> str:
    """The key of the edition that begins at an aware moment, by the clocks of the time zone."""
    return moment.astimezone(ZoneInfo(time_zone)).strftime(EDITION_FORMAT)


LATER_FIELDS = frozenset({"finish_by", "can_wait", "budget", "budget_per_month"})
"""Fields that briefs were given after digests had been kept. A brief that does not use them has the
digest that it had before: an upgrade changes none, and so launches nothing."""


def brief_digest(brief: Brief, folder: Path) -> str:
    """SHA-256 (hex) of the brief and the prompts beside it: changes when either does."""
    unused = {name for name in LATER_FIELDS if not getattr(brief, name)}
    content = brief.model_dump(mode="json", exclude=unused)
    if brief.prompts_file:
        placed = read_prompts(brief.prompts_file, Whereabouts(brief.name, folder))
        content["prompts"] = [entry.prompt.model_dump(mode="json") for entry in placed]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
