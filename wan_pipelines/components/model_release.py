"""`ModelRelease`: a pinned model becomes its weights and its engine."""

from dataclasses import dataclass
from typing import Self

import dagster as dg
from pydantic import BaseModel

from wan_pipelines.components.metadata import (
    artifacts_metadata,
    engine_metadata,
    weights_metadata,
)
from wan_pipelines.components.places import beside_gpu, on_gpu, this_environment
from wan_pipelines.components.resource import StudioResource
from wan_pipelines.components.scaffolding import ReleaseScaffolder
from wan_pipelines.engines.releases import Release
from wan_pipelines.errors import WeightsError
from wan_pipelines.studio.artifacts import publish_artifacts

GROUP = "models"


def weights_key(release: str) -> dg.AssetKey:
    return dg.AssetKey(["weights", release])


def engine_key(release: str) -> dg.AssetKey:
    return dg.AssetKey(["engine", release])


@dg.scaffold_with(ReleaseScaffolder)
@dataclass
class ModelRelease(dg.Component):
    """A model release: repository, revision, tiers, shapes, and what it needs."""

    release: Release

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        return Release

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:  # noqa: ARG003
        assert isinstance(attributes, Release)
        return cls(attributes)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        return dg.Definitions(assets=[weights_asset(self.release), engine_asset(self.release)])


def weights_asset(release: Release) -> dg.AssetsDefinition:
    key = weights_key(release.name)
    place = beside_gpu(this_environment(), release.name)

    @dg.asset(
        key=key,
        group_name=GROUP,
        kinds={"huggingface", "safetensors"},
        owners=["team:platform"],
        tags={"release": release.name},
        op_tags=place.tags,
        retry_policy=place.retries,
        description=(
            f"The files of {release.title}, complete and equal to their manifest, on this node. "
            "Made from what the release pins; fresh as long as the pin stands."
        ),
        check_specs=[
            dg.AssetCheckSpec(
                "digests",
                asset=key,
                blocking=True,
                description="Every file has the size and sha256 that the manifest names.",
            )
        ],
    )
    def weights(studio: StudioResource):
        try:
            folder = studio.open().weights(release.name)
        except WeightsError as error:
            yield dg.AssetCheckResult(
                passed=False, check_name="digests", metadata={"problem": str(error)}
            )
            raise
        yield dg.AssetCheckResult(
            passed=True, check_name="digests", metadata={"files": len(folder.manifest.files)}
        )
        yield dg.MaterializeResult(
            metadata=weights_metadata(folder),
            data_version=dg.DataVersion(folder.manifest.revision),
        )

    return weights


def engine_asset(release: Release) -> dg.AssetsDefinition:
    settings = this_environment()
    place = on_gpu(settings, release.name)

    @dg.asset(
        key=engine_key(release.name),
        deps=[weights_key(release.name)],
        group_name=GROUP,
        kinds={"pytorch", "diffusers"},
        owners=["team:platform"],
        tags={"release": release.name},
        op_tags=place.tags,
        pool=place.pool if settings.kubernetes else None,
        retry_policy=place.retries if settings.kubernetes else None,
        description=(
            f"{release.title}, ready to render: weights verified, this machine's runtime "
            "recorded and compared with what the release needs, and the compiled blocks published "
            "that its tiers ask for."
        ),
    )
    def engine(context: dg.AssetExecutionContext, studio: StudioResource) -> dg.MaterializeResult:
        opened = studio.open()
        prepared = opened.prepare(release.name)
        artifacts = publish_artifacts(opened, prepared, f"run {context.run.run_id}")
        return dg.MaterializeResult(
            metadata={**engine_metadata(prepared), **artifacts_metadata(artifacts)},
            data_version=dg.DataVersion(prepared.digest),
        )

    return engine
