"""The fingerprint tells this machine apart from others, without heavy imports."""

import platform
import subprocess
import sys
from dataclasses import replace

import torch

from wan_pipelines.engines.fingerprint import Fingerprint, read_fingerprint


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
    assert Fingerprint.from_json(fingerprint.to_json()) == fingerprint
    for change in ({"threads": 99}, {"torch": "1.0"}, {"gpu": "H100"}):
        assert replace(fingerprint, **change).digest != fingerprint.digest


def test_pixels_do_not_depend_on_the_number_of_cores_by_default() -> None:
    assert read_fingerprint().threads == read_fingerprint("cpu", None).threads == 1


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
