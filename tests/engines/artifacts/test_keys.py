"""An artifact fits where everything is the same that its code was made for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.tiny_pipeline import build_expert
from wan_pipelines.engines.artifacts.keys import ArtifactKey, cpu_features, key_of
from wan_pipelines.engines.fingerprint import read_fingerprint

HERE = read_fingerprint("cpu", 1)


def key(expert: Any = None, **changes: Any) -> ArtifactKey:
    asked = {"text_tokens": 16, "timestep_per_token": False, "fingerprint": HERE, **changes}
    return key_of(build_expert() if expert is None else expert, **asked)


def test_experts_of_one_kind_share_a_key_whatever_their_depth() -> None:
    assert key(build_expert(layers=1)) == key(build_expert(layers=3))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("torch", "2.14.0"),
        ("triton", "3.4.0"),
        ("cuda", "12.8"),
        ("diffusers", "0.43.0"),
        ("machine", "aarch64"),
        ("cpu_isa", "avx2"),
        ("threads", 2),
        ("attention_backend", "flash"),
    ],
)
def test_another_runtime_is_another_key(field: str, value: object) -> None:
    other = key(fingerprint=replace(HERE, **{field: value}))
    assert other.digest != key().digest
    (difference,) = key().differences(other)
    assert str(value) in difference


@pytest.mark.parametrize("changes", [{"text_tokens": 17}, {"timestep_per_token": True}])
def test_another_kind_of_request_is_another_key(changes: dict[str, Any]) -> None:
    assert key(**changes) != key()


def test_another_model_is_another_key() -> None:
    import torch

    keys = {key(build_expert(heads=3)), key(build_expert().to(torch.bfloat16)), key()}
    assert len(keys) == 3


def test_settings_of_the_compiler_belong_to_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    monkeypatch.setenv("TORCHINDUCTOR_MAX_AUTOTUNE", "1")
    assert key() != before


def test_cpus_that_can_do_other_things_differ(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("processor\t: 0\nflags\t\t: fpu avx512f avx512_vnni\n")
    other.write_text("processor\t: 0\nflags\t\t: fpu avx512f\n")
    assert cpu_features(one) != cpu_features(other)
    other.write_text("processor\t: 0\nbogomips: 2\nflags\t\t: avx512_vnni avx512f fpu\n")
    assert cpu_features(one) == cpu_features(other)
