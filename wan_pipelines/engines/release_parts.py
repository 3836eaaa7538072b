"""The parts of a release: where its weights are, its shapes and tiers."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from wan_pipelines.engines.options.tier_options import TierOptions
from wan_pipelines.engines.served import ServedWeights
from wan_pipelines.records import Record
from wan_pipelines.weights.manifest import Conversion
from wan_pipelines.weights.pins import SET_NAME, SET_REVISION, Pin

SchedulerName = Literal["unipc", "euler"]
Dtype = Literal["float32", "float16", "bfloat16"]
COMMIT = r"^[0-9a-f]{40}$"
REPOSITORY = r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$"
NAME = r"^[a-z0-9][a-z0-9._-]*$"


class PackagedWeights(Record):
    """Weights that are shipped inside this package."""

    package: str = Field(
        pattern=NAME, description="Name of the packaged checkpoint.", examples=["wan-tiny"]
    )


class MirroredWeights(Record):
    """Weights that were put into the environment's store from a folder, by `wan weights mirror`."""

    mirrored: str = Field(
        pattern=SET_NAME,
        max_length=120,
        description="Name under which they lie there.",
        examples=["wan-tiny"],
    )
    revision: str = Field(
        pattern=SET_REVISION,
        max_length=80,
        description="Revision under which they lie there.",
        examples=["0123456789abcdef0123456789abcdef01234567"],
    )
    content: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="Digest of the files that decide pixels, as `wan weights mirror` tells it: "
        "other bytes are refused.",
        examples=["0123456789abcdef" * 4],
    )

    @property
    def pin(self) -> Pin:
        return Pin(name=self.mirrored, revision=self.revision, content=self.content)


class Mirroring(Record):
    """How `wan weights mirror` rewrites weights for the environment's store."""

    bfloat16: tuple[str, ...] = Field(
        default=(),
        description="Components whose floating tensors are stored as bfloat16, in half the bytes "
        "of float32; only for those that are loaded so: the pixels stay the same.",
        examples=[["transformer", "transformer_2"]],
    )
    keep: tuple[str, ...] = Field(
        default=(),
        description="Tensors that keep their type all the same: those with one of these among the "
        "dotted parts of their names, such as diffusers loads in float32.",
        examples=[["norm1", "norm2"]],
    )
    shard_mb: int = Field(
        default=2000,
        ge=1,
        le=50_000,
        description="Most that a file holds, in millions of bytes; a single larger tensor has a "
        "file of its own. Nodes fetch several files at a time.",
    )

    @property
    def conversion(self) -> Conversion:
        return Conversion(
            bfloat16=self.bfloat16, keep=self.keep, shard_bytes=self.shard_mb * 1_000_000
        )


class FolderWeights(Record):
    """Weights in a folder that somebody else keeps."""

    folder: str = Field(
        min_length=1,
        description="Folder with a manifest.json; relative paths start at the project's root.",
        examples=["/mnt/models/wan2.2-t2v-a14b"],
    )


class HubWeights(Record):
    """Weights in a repository of the Hugging Face hub, at a pinned commit."""

    repository: str = Field(
        pattern=REPOSITORY,
        description="Repository on the hub.",
        examples=["Wan-AI/Wan2.2-T2V-A14B-Diffusers"],
    )
    revision: str = Field(
        pattern=COMMIT,
        description="Full commit hash; branches and tags move and are refused.",
        examples=["5be7df9619b54f4e2667b2755bc6a756675b5cd7"],
    )
    files: tuple[str, ...] = Field(
        min_length=1,
        description="Patterns of the files that are fetched.",
        examples=[["*.json", "*.safetensors", "tokenizer/*"]],
    )
    size_bytes: int = Field(
        gt=0,
        description="Bytes on disk, checked against the free space before a download.",
        examples=[126_200_628_126],
    )
    mirror: Mirroring | None = Field(
        default=None,
        description="Nodes fetch the weights, and the LoRAs of the release, from the environment's "
        "store, where `wan weights mirror` has put them; empty: from the hub itself.",
    )


def _kind_of_weights(value: Any) -> str | None:
    for key in ("package", "folder", "mirrored", "repository", "server"):
        if key in value if isinstance(value, dict) else hasattr(value, key):
            return key
    return None


WeightsSpec = Annotated[
    Annotated[PackagedWeights, Tag("package")]
    | Annotated[FolderWeights, Tag("folder")]
    | Annotated[MirroredWeights, Tag("mirrored")]
    | Annotated[HubWeights, Tag("repository")]
    | Annotated[ServedWeights, Tag("server")],
    Discriminator(
        _kind_of_weights,
        custom_error_type="no_source",
        custom_error_message="Name the weights by `package`, `folder`, `mirrored`, `repository` "
        "or `server`",
    ),
]


class Lora(Record):
    """Low-rank weights that a tier adds to one of the two experts."""

    expert: Literal["high", "low"] = Field(
        description="The expert they belong to: high noise (`transformer`) or low noise."
    )
    repository: str = Field(
        pattern=REPOSITORY,
        description="Repository on the hub.",
        examples=["lightx2v/Wan2.2-Lightning"],
    )
    revision: str = Field(
        pattern=COMMIT,
        description="Full commit hash.",
        examples=["18bccf8884ec0a078eed79785eb4ef13ea16ce1e"],
    )
    file: str = Field(
        pattern=r"^[\w./-]+\.safetensors$",
        description="Path of the file in its repository.",
        examples=["Wan2.2-T2V-A14B-4steps-lora-rank64-Seko-V1.1/high_noise_model.safetensors"],
    )
    size_bytes: int = Field(gt=0, description="Bytes of the file.", examples=[1_199_570_944])
    scale: float = Field(default=1.0, description="Weight of the addition.", examples=[1.0])
    timesteps: tuple[int, ...] = Field(
        default=(),
        description="Timesteps that it was distilled for: the tier's schedule must visit exactly "
        "these with this expert; empty: any.",
        examples=[[999, 937]],
    )


class Tier(TierOptions):
    """A budget of forwards: how many steps, and whether each is guided (two forwards) or not."""

    description: str = Field(default="", description="What the tier is for.")
    steps: int = Field(ge=1, le=1000, description="Denoising steps.", examples=[40])
    guidance: float = Field(
        ge=0,
        le=30,
        description="Classifier-free guidance of the high-noise expert; 1 or less switches it off "
        "for both experts and halves the work.",
        examples=[4.0],
    )
    guidance_2: float | None = Field(
        default=None,
        ge=0,
        le=30,
        description="Guidance of the low-noise expert; empty: the same.",
        examples=[3.0],
    )
    flow_shift: float | None = Field(
        default=None, gt=0, description="Shift of the noise schedule; empty: the release's."
    )
    scheduler: SchedulerName | None = Field(
        default=None, description="Solver of the flow; empty: the release's."
    )
    loras: tuple[Lora, ...] = Field(default=(), description="Low-rank weights this tier adds.")


class Size(Record):
    """A shape that is offered by name."""

    name: str = Field(pattern=NAME, description="Name of the shape.", examples=["landscape"])
    width: int = Field(gt=0, description="Pixels.", examples=[1280])
    height: int = Field(gt=0, description="Pixels.", examples=[720])


class Sizes(Record):
    """Widths and heights the release can draw."""

    multiple_of: int = Field(
        gt=0,
        multiple_of=16,
        description="Width and height are multiples of this: the VAE's factor times the patch, "
        "the pixels of one token.",
        examples=[16],
    )
    offered: tuple[Size, ...] = Field(min_length=1, description="Shapes by name.")

    @model_validator(mode="after")
    def _fit(self) -> Self:
        names = [size.name for size in self.offered]
        if len(set(names)) != len(names):
            raise ValueError("two shapes have the same name")
        for size in self.offered:
            if size.width % self.multiple_of or size.height % self.multiple_of:
                raise ValueError(
                    f"{size.name} ({size.width}x{size.height}) is not made of multiples of "
                    f"{self.multiple_of}"
                )
        return self


class Frames(Record):
    """Lengths the release can draw: `offset` plus a multiple of `step`."""

    min: int = Field(ge=1, description="Fewest frames.", examples=[5])
    max: int = Field(ge=1, description="Most frames.", examples=[81])
    default: int = Field(ge=1, description="Frames where a brief names none.", examples=[81])
    step: int = Field(default=4, ge=1, description="Frames of one latent frame.")
    offset: int = Field(default=1, ge=0, description="Frames of the first latent frame.")

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if not self.min <= self.default <= self.max:
            raise ValueError("frames are not ordered: min <= default <= max")
        for name in ("min", "max", "default"):
            if not self.allows(getattr(self, name)):
                raise ValueError(
                    f"{name} {getattr(self, name)} is not {self.step} * k + {self.offset}"
                )
        return self

    def allows(self, frames: int) -> bool:
        """Is `frames` inside the range and of the form step * k + offset?"""
        return self.min <= frames <= self.max and (frames - self.offset) % self.step == 0


class Facts(Record):
    """Figures for people and for memory estimates; nothing is computed from them here."""

    parameters: dict[str, int] = Field(
        default={}, description="Parameters by component.", examples=[{"transformer": 14288000000}]
    )
    peak_memory_gib: dict[str, float] = Field(
        default={},
        description="Published or measured peak by GPU class and shape.",
        examples=[{"h100 720p": 59.8}],
    )
    note: str = Field(default="", description="Where the figures come from.")
