"""What a deployment runs against: one `resources/<environment>/defs.yaml`, checked."""

from pathlib import Path

from pydantic import Field, model_validator

from wan_pipelines.campaigns.texts import Slug
from wan_pipelines.cluster.pods import Place
from wan_pipelines.cluster.records import Cluster
from wan_pipelines.engines.estimating.machines import GPUS
from wan_pipelines.errors import InputError
from wan_pipelines.from_environment import Secret
from wan_pipelines.hints import did_you_mean
from wan_pipelines.records import Record
from wan_pipelines.scheduling.settings import Scheduling
from wan_pipelines.storage import S3Settings
from wan_pipelines.studio.cost_settings import CostSettings
from wan_pipelines.studio.fleet_settings import Reserved
from wan_pipelines.studio.gpu_class_settings import GpuClass
from wan_pipelines.studio.invoice_settings import InvoiceLayout
from wan_pipelines.studio.launch_settings import Prompts, Rerender
from wan_pipelines.studio.plan_settings import Plan
from wan_pipelines.studio.rendering_settings import Checkpoints, Deadlines, Ladders, Workers
from wan_pipelines.studio.server_settings import EngineServer, WebAddress
from wan_pipelines.studio.tenant_settings import Tenant
from wan_pipelines.studio.weights_settings import WeightsSettings
from wan_pipelines.yaml_source import read_component

COMPONENT = "wan_pipelines.components.Environment"


class Settings(Record):
    """One environment: where things are kept, what renders them, who may ask for how much."""

    name: str = Field(description="Name of the environment.", examples=["local"])
    store: Secret = Field(
        default="store", description="Videos, manifests and pages: a folder or an URL."
    )
    s3: S3Settings = Field(default=S3Settings(), description="How stores in buckets are used.")
    ledger: Secret = Field(
        default="ledger.sqlite", description="The ledger: an SQLite file or an SQLAlchemy URL."
    )
    ledger_patience_seconds: float = Field(
        default=60,
        ge=0,
        description="So long a ledger's server that does not answer is tried again.",
    )
    dagster_storage: Secret | None = Field(
        default=None,
        description="Dagster's runs, events and schedules: the URL of a PostgreSQL database; "
        "empty: SQLite in the state folder. It counts when the state folder is made.",
        examples=[{"env": "WAN_DAGSTER_URL"}],
    )
    links: WebAddress | None = Field(
        default=None,
        description="Where browsers reach the store; empty: the store's own links. "
        "`wan dev` serves a local store at this address.",
        examples=["http://127.0.0.1:3070"],
    )
    dagster: WebAddress | None = Field(
        default=None,
        description="Where browsers reach Dagster's UI; empty: pages do not link to runs.",
        examples=["http://127.0.0.1:3000"],
    )
    cache: str = Field(default="cache", description="Folder for weights and engines of this node.")
    weights: WeightsSettings = Field(
        default=WeightsSettings(), description="Weights that are mirrored in a store."
    )
    gpu_class: str = Field(description="The GPU class that renders.", examples=["cpu"])
    gpu_classes: dict[str, GpuClass] = Field(description="GPU classes by name.")
    reserved: dict[str, Reserved] = Field(
        default={},
        description="GPUs that are paid whether they are used or not, by names of yours.",
    )
    invoices: dict[str, InvoiceLayout] = Field(
        default={}, description="Layouts of invoices that are not in FOCUS, by names of yours."
    )
    workers: Workers = Field(default=Workers(), description="Workers and shards.")
    kubernetes: Cluster | None = Field(
        default=None,
        description="The cluster whose pods do the work; empty: processes of this machine.",
    )
    scheduling: Scheduling = Field(
        default=Scheduling(), description="The order in which tenants' shards begin."
    )
    deadlines: Deadlines = Field(default=Deadlines(), description="Time limits of shots.")
    servers: dict[str, EngineServer] = Field(
        default={}, description="Engines elsewhere, by the names that releases use.", examples=[{}]
    )
    ladders: Ladders = Field(default=Ladders(), description="When memory or time runs out.")
    checkpoints: Checkpoints = Field(default=Checkpoints(), description="Half-rendered shots.")
    rerender: Rerender = Field(default=Rerender(), description="Sensor-triggered renders.")
    prompts: Prompts = Field(
        default=Prompts(), description="Prompts that are typed in on their own."
    )
    costs: CostSettings = Field(default=CostSettings(), description="Reports of costs.")
    plans: dict[str, Plan] = Field(description="Plans by name.")
    tenants: dict[Slug, Tenant] = Field(description="Tenants by name.")
    allow_download: bool = Field(
        default=False, description="May weights be fetched from a model hub?"
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> "Settings":
        if self.gpu_class not in self.gpu_classes:
            raise ValueError(
                f"gpu_class {self.gpu_class!r} is none of gpu_classes: "
                f"{', '.join(self.gpu_classes)}"
            )
        for name, gpu_class in self.gpu_classes.items():
            if gpu_class.device == "cuda" and (gpu_class.hardware or name) not in GPUS:
                raise ValueError(
                    f"gpu_classes.{name} needs `hardware`, one of the known data sheets: "
                    f"{', '.join(GPUS)}"
                )
        for name, reserved in self.reserved.items():
            if reserved.gpu_class not in self.gpu_classes:
                raise ValueError(
                    f"reserved.{name}.gpu_class {reserved.gpu_class!r} is none of gpu_classes: "
                    f"{', '.join(self.gpu_classes)}"
                )
        if self.kubernetes:
            self._check_cluster()
        self._check_spot()
        if self.workers.memory_limit_gib and self.rendering_class.device != "cpu":
            raise ValueError(
                "workers.memory_limit_gib is for CPUs; CUDA reserves far more addresses than memory"
            )
        for name, tenant in self.tenants.items():
            if tenant.plan not in self.plans:
                raise ValueError(
                    f"tenants.{name}.plan {tenant.plan!r} is none of plans: {', '.join(self.plans)}"
                )
        return self

    def _check_cluster(self) -> None:
        for name, gpu_class in self.gpu_classes.items():
            if gpu_class.kubernetes is None:
                raise ValueError(
                    f"gpu_classes.{name} needs `kubernetes`, as the environment has: which nodes "
                    "its pods run on, and how much of them"
                )
        if not self.cache.startswith("/"):
            raise ValueError(
                f"cache {self.cache!r} is where pods see the weights of their node: write an "
                "absolute path, such as /var/cache/wan"
            )

    def _check_spot(self) -> None:
        markets = {gpu_class.market for gpu_class in self.gpu_classes.values()}
        for name, plan in self.plans.items():
            if plan.spot_only and "spot" not in markets:
                raise ValueError(
                    f"plans.{name} is spot_only, but no GPU class is: write `capacity: spot` into "
                    "the `kubernetes` of one, or leave spot_only away"
                )

    @property
    def rendering_class(self) -> GpuClass:
        """The GPU class that renders."""
        return self.gpu_classes[self.gpu_class]

    @property
    def place(self) -> Place:
        """What pods of this environment need to find it."""
        return Place(self.name, self.cache)

    def on(self, gpu_class: str | None) -> "Settings":
        """The same with another GPU class that renders; None: the environment's own."""
        if gpu_class is None or gpu_class == self.gpu_class:
            return self
        if gpu_class not in self.gpu_classes:
            raise InputError(
                f"there is no GPU class {gpu_class!r} in environment {self.name!r}.",
                where=f"resources/{self.name}/defs.yaml, gpu_classes",
                remedy=did_you_mean(gpu_class, self.gpu_classes),
            )
        return self.model_copy(update={"gpu_class": gpu_class})

    def tenant(self, name: str, *, where: str = "") -> Tenant:
        """The tenant of that name; InputError lists those that there are, and says who asked."""
        if name not in self.tenants:
            declared = f"resources/{self.name}/defs.yaml"
            place = f"to {declared}" if where else "there"
            raise InputError(
                f"tenant {name!r} is not known in environment {self.name!r}.",
                where=where or f"{declared}, tenants",
                remedy=f"Add it {place}. {did_you_mean(name, self.tenants)}",
            )
        return self.tenants[name]


def read_settings(root: Path, environment: str) -> Settings:
    """Settings of `root/resources/<environment>/defs.yaml`; InputError names file and line."""
    return read_component(root / "resources" / environment / "defs.yaml", Settings, COMPONENT)
