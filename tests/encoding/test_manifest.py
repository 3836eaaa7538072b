import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from tests.encoding.manifests import manifest_of, rendition_file
from wan_pipelines.encoding.manifest import SCHEMA_NAME, VideoManifest, schema_text, write_schema

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def manifest() -> VideoManifest:
    return manifest_of([rendition_file()])


def test_a_manifest_is_read_back_unchanged(manifest: VideoManifest):
    assert VideoManifest.model_validate_json(manifest.to_text()) == manifest


def test_a_manifest_is_read_by_people_too(manifest: VideoManifest):
    text = manifest.to_text()
    assert '  "prompt": "Ein roter Ball springt über “Gräben” 🎈"' in text
    assert '"created_at": "2026-01-31T12:30:00Z"' in text
    assert '"charge_micro_usd": null' in text
    assert text.endswith("}\n")


def test_a_manifest_stays_true_when_the_store_is_moved(manifest: VideoManifest):
    assert manifest.renditions[0].file == "h264.mp4"
    assert "file://" not in manifest.to_text()
    assert "/srv" not in manifest.to_text()


def test_the_published_schema_is_current(tmp_path: Path):
    assert write_schema(tmp_path).read_text() == schema_text()
    published = DOCS / SCHEMA_NAME
    assert published.read_text() == schema_text(), "docs are out of date: make schemas"


def test_manifests_obey_the_published_schema(manifest: VideoManifest):
    schema = json.loads((DOCS / SCHEMA_NAME).read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    document = json.loads(manifest.to_text())
    validator.validate(document)
    assert not validator.is_valid({**document, "seed": -1})
    assert not validator.is_valid({**document, "unknown": 1})
    assert not validator.is_valid({**document, "sampling": {}})


def test_every_field_is_explained_or_obvious():
    properties = json.loads(schema_text())["properties"]
    obvious = {"prompt", "negative_prompt", "seed", "shape", "weights", "renditions"}
    assert {name for name, field in properties.items() if "description" not in field} <= obvious


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tenant", ""),
        ("seed", -1),
        ("seed", "many"),
        ("render_key", "ab"),
        ("gpu_seconds", -1),
        ("gpu_seconds", float("nan")),
        ("charge_micro_usd", 0.5),
        ("created_at", "2026-01-31T12:30:00"),
        ("renditions", []),
        ("schema_version", 2),
        ("unknown", 1),
    ],
)
def test_impossible_manifests_are_refused(field: str, value: object, manifest: VideoManifest):
    document = json.loads(manifest.to_text())
    with pytest.raises(ValidationError, match=field):
        VideoManifest.model_validate({**document, field: value})


def test_a_manifest_does_not_change(manifest: VideoManifest):
    with pytest.raises(ValidationError, match="frozen"):
        manifest.seed = 8


def test_describing_a_video_does_not_load_what_renders_or_encodes_it():
    script = "import sys, wan_pipelines.encoding.publish; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    heavy = {"torch", "diffusers", "transformers", "av", "numpy", "PIL", "ffmpeg", "boto3"}
    assert heavy.isdisjoint(loaded)
