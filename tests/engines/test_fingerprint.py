"""The fingerprint tells this machine apart from others, without heavy imports."""

import platform
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from wan_pipelines.engines.fingerprint import cudnn_version, read_fingerprint


def test_it_says_what_is_installed_here() -> None:
    fingerprint = read_fingerprint("cpu", threads=3)
    assert fingerprint.torch == torch.__version__
    assert fingerprint.python == platform.python_version()
    assert fingerprint.threads == 3
    assert fingerprint.machine == platform.machine()
    assert fingerprint.cpu_isa
    assert (fingerprint.gpu, fingerprint.gpu_memory_gib, fingerprint.cuda) == ("", 0.0, "")


def test_the_vector_extension_is_the_one_torch_uses() -> None:
    assert read_fingerprint().cpu_isa == torch.backends.cpu.get_cpu_capability().lower()


def test_equal_machines_have_equal_digests() -> None:
    fingerprint = read_fingerprint()
    assert fingerprint.digest == read_fingerprint().digest
    for change in ({"threads": 99}, {"torch": "1.0"}, {"gpu": "H100"}):
        assert replace(fingerprint, **change).digest != fingerprint.digest


def test_pixels_do_not_depend_on_the_number_of_cores_by_default() -> None:
    assert read_fingerprint().threads == read_fingerprint("cpu", None).threads == 1


@pytest.mark.parametrize(
    ("number", "version"), [(0, ""), (8902, "8.9.2"), (90100, "9.1.0"), (91002, "9.10.2")]
)
def test_cudnn_counts_its_versions_in_two_ways(number: int, version: str) -> None:
    assert cudnn_version(number) == version


def test_reading_it_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from wan_pipelines.engines.fingerprint import read_fingerprint\n"
        "import wan_pipelines.engines.prepare, wan_pipelines.engines.null\n"
        "import wan_pipelines.rendering.worker, wan_pipelines.weights.sources\n"
        "assert read_fingerprint().torch\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'numpy', 'huggingface_hub', 'PIL'}\n"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
