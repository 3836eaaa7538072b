"""What tiers declare beside steps and guidance, and how it is handed to engines.

Two records go into a request, as text: `RequestOptions`, which a warm engine applies to one request
and takes back after it, and `EngineOptions`, with which the pipeline is loaded.
"""

from dataclasses import dataclass, field
from typing import Literal, Self

from pydantic import Field, model_validator

from wan_pipelines.engines.options.caches import Cache
from wan_pipelines.records import Record

AttentionBackend = Literal[
    "native",
    "_native_cudnn",
    "_native_efficient",
    "_native_flash",
    "_native_math",
    "flex",
    "flash",
    "_flash_3",
    "sage",
    "_sage_qk_int8_pv_fp8_cuda",
    "_sage_qk_int8_pv_fp8_cuda_sm90",
    "_sage_qk_int8_pv_fp16_cuda",
    "_sage_qk_int8_pv_fp16_triton",
    "xformers",
]
"""Names of diffusers. Its `*_hub` backends are not offered: they fetch code that nobody pins."""

CONTEXT_PARALLEL_BACKENDS = frozenset[str](
    {"native", "_native_cudnn", "_native_flash", "flash", "sage"}
)
"""Those of them that diffusers can spread over GPUs."""

Quantisation = Literal["int8_weight_only", "int8_dynamic", "float8_weight_only", "float8_dynamic"]
StorageType = Literal["float8_e4m3fn", "float8_e5m2"]
Offload = Literal["none", "model", "group"]
Compiled = Literal["if_built", "always"]


class VaeTiling(Record):
    """Decode in overlapping tiles, if the clip is larger than one: less memory, other pixels."""

    tile_height: int = Field(default=256, gt=0, multiple_of=16, description="Pixels of a tile.")
    tile_width: int = Field(default=256, gt=0, multiple_of=16, description="Pixels of a tile.")
    stride_height: int = Field(
        default=192, gt=0, multiple_of=16, description="Pixels from one tile to the next."
    )
    stride_width: int = Field(
        default=192, gt=0, multiple_of=16, description="Pixels from one tile to the next."
    )

    @model_validator(mode="after")
    def _overlap(self) -> Self:
        if self.stride_height > self.tile_height or self.stride_width > self.tile_width:
            raise ValueError("a stride larger than its tile leaves gaps between tiles")
        return self


class GroupOffload(Record):
    """Which parts of a model are in GPU memory together."""

    type: Literal["block_level", "leaf_level"] = Field(
        default="block_level", description="Some blocks at a time, or single layers."
    )
    blocks_per_group: int = Field(default=1, ge=1, description="Blocks at a time.")
    use_stream: bool = Field(
        default=True, description="Fetch the next group while this one computes."
    )


class ContextParallel(Record):
    """GPUs that share the tokens of one shot."""

    ulysses_degree: int = Field(ge=2, le=64, description="GPUs.", examples=[4])
    ulysses_anything: bool = Field(
        default=False, description="Also for tokens and heads that do not divide evenly."
    )


class _Text(Record):
    """A record that is empty text where nothing is set."""

    @property
    def text(self) -> str:
        """Canonical JSON; what decides pixels is all in it, defaults too."""
        return self.model_dump_json(exclude_none=True) if self.model_dump(exclude_none=True) else ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `text` was made of; a pydantic ValidationError for anything else."""
        return cls.model_validate_json(text or "{}")


class RequestOptions(_Text):
    """Applied to one request on a warm engine, and taken back after it."""

    cache: Cache | None = Field(
        default=None, description="Reuse the work of earlier steps; empty: compute every step."
    )
    attention_backend: AttentionBackend | None = Field(
        default=None, description="Kernel of the attention; empty: the environment's."
    )
    vae_tiling: VaeTiling | None = Field(
        default=None, description="Decode in tiles of these sizes; empty: as the release says."
    )
    compiled: Compiled | None = Field(
        default=None,
        description="Run the transformer blocks as compiled code, whose pixels differ in the last "
        "bits. `if_built` uses an artifact that fits the machine and renders eagerly where there "
        "is none, `always` compiles then. Empty: eagerly.",
    )


class EngineOptions(_Text):
    """What a pipeline is loaded with, as far as it decides pixels."""

    quantisation: Quantisation | None = Field(
        default=None, description="Compute with quantised experts, by torchao; empty: none."
    )
    layerwise_casting: StorageType | None = Field(
        default=None,
        description="Keep the experts' weights in eight bits and cast each layer when it computes; "
        "empty: in the release's dtype.",
    )
    context_parallel: ContextParallel | None = Field(
        default=None, description="Spread a shot over GPUs; empty: one."
    )


@dataclass(frozen=True, slots=True)
class Loading:
    """How a pipeline is loaded; only `options` decide pixels."""

    options: EngineOptions
    offload: Offload = "none"
    groups: GroupOffload = field(default_factory=GroupOffload)


class TierOptions(RequestOptions, EngineOptions):
    """All of it, and what is loaded with but decides no pixels."""

    offload: Offload | None = Field(
        default=None,
        description="What is kept in host memory while it rests: whole `model`s, or `group`s of "
        "layers of each; empty: as the release says.",
    )
    group_offload: GroupOffload = Field(
        default=GroupOffload(), description="Sizes of the groups of `offload: group`."
    )

    @property
    def request_options(self) -> RequestOptions:
        return RequestOptions(**{name: getattr(self, name) for name in RequestOptions.model_fields})

    @property
    def engine_options(self) -> EngineOptions:
        return EngineOptions(**{name: getattr(self, name) for name in EngineOptions.model_fields})
