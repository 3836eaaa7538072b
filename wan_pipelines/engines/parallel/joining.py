"""The group of processes that share a shot, and what each of them is told when it is started."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from wan_pipelines.engines.fingerprint import Device
from wan_pipelines.engines.loras import LoraFile
from wan_pipelines.engines.release_parts import Lora
from wan_pipelines.engines.releases import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """One of `size` processes, which meet at the file `meeting` of this machine."""

    release: Release
    weights: Path
    loras: tuple[LoraFile, ...]
    engine: str
    kind: str
    device: Device
    threads: int
    meeting: Path
    rank: int
    size: int

    def to_line(self) -> str:
        plain = {
            "release": self.release.model_dump(mode="json"),
            "weights": str(self.weights),
            "loras": [[file.lora.model_dump(), str(file.path)] for file in self.loras],
            "engine": self.engine,
            "kind": self.kind,
            "device": self.device,
            "threads": self.threads,
            "meeting": str(self.meeting),
            "rank": self.rank,
            "size": self.size,
        }
        return json.dumps(plain) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Self:
        fields = json.loads(line)
        loras: Sequence[tuple[dict[str, object], str]] = fields.pop("loras")
        return cls(
            release=Release.model_validate(fields.pop("release")),
            weights=Path(fields.pop("weights")),
            meeting=Path(fields.pop("meeting")),
            loras=tuple(LoraFile(Lora.model_validate(lora), Path(path)) for lora, path in loras),
            **fields,
        )

    def join(self) -> None:
        """Waits for the others; NCCL between GPUs, gloo between CPUs."""
        import torch
        from torch import distributed

        if self.device == "cuda":
            torch.cuda.set_device(self.rank)
        distributed.init_process_group(
            "nccl" if self.device == "cuda" else "gloo",
            init_method=f"file://{self.meeting}",
            rank=self.rank,
            world_size=self.size,
        )
