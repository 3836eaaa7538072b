"""The manifest of a folder of weights: every file with its size and sha256.

`manifest.json` lies in the folder it describes. It is untrusted input: paths stay inside the folder
and pickled formats are refused before a byte of them is opened.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from wan_pipelines.errors import WeightsError
from wan_pipelines.records import Record
from wan_pipelines.weights.inspection import Problem, inspect_file, is_pickle, walk

MANIFEST_NAME = "manifest.json"
MANIFEST_LIMIT_BYTES = 16 * 1024**2
MOST_PATH_CHARACTERS = 512
PROSE_SUFFIXES = frozenset({".md", ".txt"})
PROBLEMS_SHOWN = 10
CHUNK_BYTES = 4 * 1024**2

M = TypeVar("M", bound=BaseModel)
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _stays_inside(path: str) -> str:
    pure = PurePosixPath(path)
    if not path.isprintable() or "\\" in path or str(pure) != path:
        raise ValueError(f"not a plain relative path: {path!r}")
    if pure.is_absolute() or ".." in pure.parts or path in {MANIFEST_NAME, "."}:
        raise ValueError(f"not a path of a file inside the folder: {path!r}")
    if is_pickle(path):
        raise ValueError(f"pickled weights can run code: {path!r}; convert them to safetensors")
    return path


class ManifestFile(Record):
    """One file: where it lies below the folder, its bytes and their digest."""

    path: Annotated[
        str, Field(min_length=1, max_length=MOST_PATH_CHARACTERS), AfterValidator(_stays_inside)
    ]
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256
    header_sha256: Sha256 | None = None
    """Of a safetensors file: names, types and shapes of its tensors, and where they lie."""


class Conversion(Record):
    """How files were rewritten on their way into a mirror; tensors not named kept their type."""

    bfloat16: tuple[str, ...] = ()
    """Components whose floating tensors are stored as bfloat16,"""
    keep: tuple[str, ...] = ()
    """except for tensors with one of these among the parts of their names."""
    shard_bytes: Annotated[int, Field(gt=0)]


class Manifest(Record):
    """What a release's weights consist of, to the byte.

    Those that were mirrored also say where they come from, under which licence, and how they were
    converted on the way.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    schema_version: Literal[1] = Field(default=1, alias="schema")
    release: Annotated[str, Field(min_length=1, max_length=200)]
    revision: Annotated[str, Field(min_length=1, max_length=200)]
    dtype: Literal["float32", "float16", "bfloat16"]
    licence: Annotated[str, Field(max_length=1000)] | None = None
    origin: Annotated[str, Field(max_length=8000)] | None = None
    conversion: Conversion | None = None
    files: Annotated[tuple[ManifestFile, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _paths_are_distinct(self) -> Self:
        paths = [file.path for file in self.files]
        if len(set(paths)) != len(paths):
            raise ValueError("a path is listed twice")
        return self

    @property
    def size_bytes(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def digest(self) -> str:
        """sha256 hex over the files that decide pixels: everything but prose such as a README."""
        lines = sorted(
            f"{file.sha256} {file.size} {file.path}"
            for file in self.files
            if PurePosixPath(file.path).suffix not in PROSE_SUFFIXES
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @classmethod
    def build(cls, folder: Path, *, release: str, dtype: str, revision: str | None = None) -> Self:
        """Hashes every file below `folder`; without a `revision` the content's digest is it."""
        files: list[dict[str, object]] = []
        for path in _files_of(folder):
            problem = inspect_file(folder, path)
            if problem:
                raise WeightsError(f"{folder}: {problem}. Remove or replace the file.")
            full = folder / path
            files.append({"path": path, "size": full.stat().st_size, "sha256": file_sha256(full)})
        draft = _validated(
            cls,
            {"release": release, "revision": revision or "-", "dtype": dtype, "files": files},
            str(folder),
        )
        return draft if revision else draft.model_copy(update={"revision": draft.digest[:40]})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest of `folder`; WeightsError when it is missing or not acceptable."""
        path = folder / MANIFEST_NAME
        if not path.is_file():
            raise WeightsError(
                f"{folder} has no {MANIFEST_NAME}, so nobody can tell whether the weights are "
                f"whole. Write one with `python -m wan_pipelines.weights build {folder}`."
            )
        if path.stat().st_size > MANIFEST_LIMIT_BYTES:
            raise WeightsError(f"{path} is larger than 16 MiB: not a manifest. Fetch it again.")
        try:
            text = path.read_bytes()
        except OSError as error:
            raise WeightsError(f"{path} cannot be read: {error.strerror}.") from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: bytes, where: str) -> Self:
        """The manifest in `text`, which stands at `where`; WeightsError if it is not acceptable."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise WeightsError(f"{where} is not JSON ({error}). Fetch it again.") from error
        return _validated(cls, data, where)

    def to_bytes(self) -> bytes:
        """As it is written; what does not apply is left out."""
        data = self.model_dump(exclude_none=True)
        return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()

    def write(self, folder: Path) -> Path:
        """Writes `manifest.json` into `folder` (not atomic: the folder is not published yet)."""
        path = folder / MANIFEST_NAME
        path.write_bytes(self.to_bytes())
        return path

    def problems(self, folder: Path, *, digests: bool = True) -> tuple[Problem, ...]:
        """Every difference between `folder` and this manifest, by file; empty when it is whole.

        `digests=False` looks at names, links, sizes and safetensors headers only, which takes
        milliseconds for any size of model.
        """
        return tuple(self._problems(folder, digests=digests))

    def _problems(self, folder: Path, *, digests: bool) -> Iterator[Problem]:
        present = set(_files_of(folder))
        listed = {file.path for file in self.files}
        for path in sorted(present - listed):
            yield inspect_file(folder, path) or Problem(path, "extra", "is not in the manifest")
        for file in self.files:
            if file.path not in present:
                yield Problem(file.path, "missing", "is not there")
                continue
            problem = _difference(folder, file, digests=digests)
            if problem:
                yield problem


def verify(folder: Path, manifest: Manifest, *, digests: bool = True) -> None:
    """WeightsError that lists the files which differ from the manifest; see `problems`."""
    problems = manifest.problems(folder, digests=digests)
    if problems:
        shown = "\n".join(f"- {problem}" for problem in problems[:PROBLEMS_SHOWN])
        more = len(problems) - PROBLEMS_SHOWN
        raise WeightsError(
            f"The weights in {folder} are not what their manifest says:\n{shown}"
            + (f"\n- and {more} more" if more > 0 else "")
            + "\nFetch them again."
        )


def file_sha256(path: Path, passed: Callable[[int], None] | None = None) -> str:
    """sha256 hex of a file, read in pieces; `passed` hears of the bytes of each."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
            if passed:
                passed(len(chunk))
    return digest.hexdigest()


def _files_of(folder: Path) -> list[str]:
    return [path for path in walk(folder) if path != MANIFEST_NAME]


def _difference(folder: Path, file: ManifestFile, *, digests: bool) -> Problem | None:
    problem = inspect_file(folder, file.path)
    if problem and problem.kind != "header":
        return problem
    size = (folder / file.path).stat().st_size
    if size != file.size:
        return Problem(file.path, "size", f"has {size} bytes instead of {file.size}")
    if problem:
        return problem
    if digests and file_sha256(folder / file.path) != file.sha256:
        return Problem(file.path, "digest", "has the right size but other content")
    return None


def _validated(model: type[M], data: object, where: str) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise WeightsError(f"{where}: {field}: {first['msg']}. Fetch it again.") from error
