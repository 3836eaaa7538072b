"""Artifacts are known by records that nobody changes; the latest of a key holds."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, update

from tests.ledger.scenes import ARTIFACT
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.artifacts import artifact_for, latest_artifact, sign_off
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.statements import table
from wan_pipelines.ledger.tables import ArtifactRow
from wan_pipelines.ledger.whose import House


def test_a_record_comes_back_as_it_was_signed(ledger: Ledger) -> None:
    assert artifact_for(ledger, ARTIFACT.key_digest) is None
    sign_off(ledger, ARTIFACT)
    assert artifact_for(ledger, ARTIFACT.key_digest) == ARTIFACT
    assert latest_artifact(ledger, "sample") == ARTIFACT
    assert latest_artifact(ledger, "other") is None


def test_the_latest_of_a_key_holds(ledger: Ledger) -> None:
    again = replace(ARTIFACT, sha256="ef" * 32)
    elsewhere = replace(ARTIFACT, key_digest="12" * 32)
    for record in (ARTIFACT, again, elsewhere):
        sign_off(ledger, record)
    assert artifact_for(ledger, ARTIFACT.key_digest) == again
    assert latest_artifact(ledger, "sample") == elsewhere


@pytest.mark.parametrize(
    "change", [delete(table(ArtifactRow)), update(ArtifactRow).values(sha256="00" * 32)]
)
def test_nobody_changes_what_was_signed(ledger: Ledger, change: Any) -> None:
    sign_off(ledger, ARTIFACT)
    with pytest.raises(LedgerError, match="append-only"), ledger.write(House("audit")) as session:
        session.execute(change)
    assert artifact_for(ledger, ARTIFACT.key_digest) == ARTIFACT
