"""Who may use a server: keys from the environment, compared in constant time, never logged."""

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from wan_pipelines.errors import InputError
from wan_pipelines.serving.problems import Refusal

KEYS_VARIABLE = "WAN_ENGINE_KEYS"
SHORTEST_KEY = 16
ANYBODY = ""


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """Callers by the digest of their key; none at all lets everybody in, as one caller."""

    callers: Mapping[bytes, str]

    @classmethod
    def from_environment(cls) -> Self:
        """`WAN_ENGINE_KEYS="studio:KEY,probe:KEY"`; InputError for another form."""
        entries = [entry.strip() for entry in os.environ.get(KEYS_VARIABLE, "").split(",")]
        return cls(dict(_caller(entry, number) for number, entry in enumerate(entries, 1) if entry))

    def __bool__(self) -> bool:
        return bool(self.callers)

    def caller(self, authorization: str | None) -> str:
        """The name that belongs to a header `Authorization: Bearer KEY`; a Refusal (401) if none.

        Every key is compared, whichever fits, so that the time tells nothing.
        """
        if not self.callers:
            return ANYBODY
        scheme, _, key = (authorization or "").partition(" ")
        given = _digest(key.strip() if scheme.lower() == "bearer" else "")
        fitting = [
            name for known, name in self.callers.items() if hmac.compare_digest(known, given)
        ]
        if not fitting:
            raise Refusal(
                401,
                "Send a key of this server as `Authorization: Bearer KEY`.",
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return fitting[0]


def _caller(entry: str, number: int) -> tuple[bytes, str]:
    name, colon, key = entry.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name) or len(key) < SHORTEST_KEY:
        raise InputError(
            f"entry {number} is not of the form name:key, or its key is shorter than "
            f"{SHORTEST_KEY} characters.",
            where=f"environment variable {KEYS_VARIABLE}",
            remedy="Write studio:KEY,probe:KEY, with keys such as `openssl rand -hex 32` makes.",
        )
    return _digest(key), name


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
