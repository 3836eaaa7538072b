"""The environments that ship for more than a laptop, on a bucket and PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from tests.support.postgres import PostgresServer
from tests.support.project import Project
from tests.support.renders import render_edition
from tests.support.seaweed import S3Server
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.reports import output_files
from wan_pipelines.places import project_root
from wan_pipelines.studio.settings import read_settings
from wan_pipelines.studio.studio import open_studio

pytestmark = pytest.mark.xdist_group("s3")

RESOURCES = project_root() / "resources"
VARIABLES = ("WAN_STORE_URL", "WAN_LEDGER_URL", "WAN_CHECKPOINTS_URL")


def places(value: Any, place: str = "") -> Iterator[str]:
    """The names of all fields below."""
    yield place
    for name, part in value.items() if isinstance(value, dict) else ():
        yield from places(part, f"{place}.{name}")


def test_staging_differs_from_production_by_values_only():
    production, staging = (
        yaml.safe_load((RESOURCES / name / "defs.yaml").read_text())
        for name in ("production", "staging")
    )
    assert list(places(production)) == list(places(staging))
    assert production != staging


@pytest.mark.parametrize("name", ["production", "staging"])
def test_every_secret_is_asked_of_the_process_environment(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    text = (RESOURCES / name / "defs.yaml").read_text()
    assert "://" not in text
    settings = read_settings(project_root(), name)
    for secret in (settings.store, settings.ledger, settings.checkpoints.store):
        assert not isinstance(secret, str)
        assert secret.env in VARIABLES
        monkeypatch.delenv(secret.env, raising=False)
        with pytest.raises(InputError, match=f"Set {secret.env} where"):
            secret.read()


def test_production_renders_on_real_servers(
    quick_project: Project,
    s3: S3Server,
    postgres_server: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
):
    shutil.copytree(RESOURCES / "production", quick_project.root / "resources" / "production")
    values = (s3.url(), postgres_server.new_database(), s3.url())
    for name, value in zip(VARIABLES, values, strict=True):
        monkeypatch.setenv(name, value)
    studio = open_studio(quick_project.root, quick_project.state, "production")
    try:
        render_edition(studio)
        keys = [file.key for file in output_files(studio.ledger, "demo")]
        movies = [key for key in keys if key.endswith(".mp4")]
        assert len(movies) == 2
        for key in movies:
            with urlopen(studio.link(key)) as answer:
                assert answer.read(8)[4:] == b"ftyp"
    finally:
        studio.ledger.close()
    assert not (quick_project.state / "store").exists()
