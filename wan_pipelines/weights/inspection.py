"""What may lie in a folder of weights: regular files inside it, no pickles, sane safetensors."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from wan_pipelines.errors import WeightsError

PICKLE_SUFFIXES = frozenset({".bin", ".pt", ".ckpt", ".pkl", ".pickle", ".pth"})
CODE_SUFFIXES = frozenset({".py", ".so", ".pyc"})

ProblemKind = Literal["missing", "extra", "size", "digest", "pickle", "code", "link", "header"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one file of a folder of weights."""

    path: str
    kind: ProblemKind
    detail: str

    def __str__(self) -> str:
        return f"{self.path} {self.detail}"


def is_pickle(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in PICKLE_SUFFIXES


def walk(folder: Path) -> Iterator[str]:
    """Relative POSIX paths of everything below `folder` that is not a folder, sorted."""
    if not folder.is_dir():
        raise WeightsError(f"There is no folder of weights at {folder}. Check the path.")
    found: list[str] = []
    for root, folders, files in os.walk(folder, followlinks=False):
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        found += [(Path(root) / name).relative_to(folder).as_posix() for name in files + links]
    yield from sorted(found)


def inspect_file(folder: Path, path: str) -> Problem | None:
    """Why `path` must not be read as weights, or None; opens nothing but safetensors headers."""
    full = folder / path
    if not Path(os.path.realpath(full)).is_relative_to(os.path.realpath(folder)):
        return Problem(path, "link", "is a link out of the folder")
    if not full.exists() or not stat.S_ISREG(full.stat().st_mode):
        return Problem(path, "link", "is not a regular file")
    if is_pickle(path):
        return Problem(path, "pickle", "is a pickle, which can run code; use safetensors")
    if PurePosixPath(path).suffix.lower() in CODE_SUFFIXES:
        return Problem(path, "code", "is code; weights come without any")
    if path.endswith(".safetensors"):
        return _inspect_header(full, path)
    return None


def inspect_folder(folder: Path) -> tuple[Problem, ...]:
    """Everything in `folder` that must not be loaded."""
    return tuple(problem for path in walk(folder) if (problem := inspect_file(folder, path)))


def _inspect_header(full: Path, path: str) -> Problem | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(full, framework="numpy"):
            return None
    except (SafetensorError, OSError) as error:
        return Problem(path, "header", f"is not a whole safetensors file ({error})")
