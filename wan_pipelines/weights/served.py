"""Weights that a server keeps: what stands for them here is a description of what was pinned."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, cast

from wan_pipelines.weights.manifest import Manifest
from wan_pipelines.weights.sources import WeightsFolder

DESCRIPTION_NAME = "served.json"


@dataclass(frozen=True, slots=True)
class ServedSource:
    """`pin` is what a release says of the server, as far as it decides pixels."""

    model: str
    pin: Mapping[str, object]
    dtype: str

    def ensure(self, cache: Path, /) -> WeightsFolder:
        text = json.dumps(self.pin, indent=2, sort_keys=True) + "\n"
        digest = hashlib.sha256(text.encode()).hexdigest()
        folder = cache / f"served-{digest[:16]}"
        if not folder.is_dir():
            self._write(folder, text, digest)
        return WeightsFolder(folder, Manifest.read(folder))

    def present(self, _cache: Path, /) -> Path | None:
        """Nowhere: there are none on this machine."""
        return None

    def _write(self, folder: Path, text: str, digest: str) -> None:
        cache = folder.parent
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache, prefix=".served-") as drafts:
            draft = Path(drafts) / folder.name
            draft.mkdir()
            (draft / DESCRIPTION_NAME).write_text(text, encoding="utf-8")
            dtype = cast("Literal['float32', 'float16', 'bfloat16']", self.dtype)
            manifest = Manifest.build(draft, release=self.model, dtype=dtype, revision=digest[:40])
            manifest.write(draft)
            if not folder.is_dir():  # another process may have been faster, with the same bytes
                draft.rename(folder)
