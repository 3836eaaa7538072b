"""`wan cluster`: what an environment's YAML means in a cluster, before anything runs there."""

from typing import Any

import typer
import yaml

from wan_pipelines.cli.output import examples
from wan_pipelines.cluster.records import Cluster
from wan_pipelines.errors import InputError
from wan_pipelines.places import environment_name, project_root
from wan_pipelines.studio.settings import Settings, read_settings

cluster = typer.Typer(
    name="cluster",
    help="What the environment means in a cluster.",
    epilog=examples(
        "WAN_PIPELINES_ENV=production wan cluster instance > dagster.yaml",
        "WAN_PIPELINES_ENV=production wan cluster pods",
    ),
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def register(app: typer.Typer) -> None:
    app.add_typer(cluster)


@cluster.command()
def instance() -> None:
    """Print the dagster.yaml by which this environment's runs are pods; it holds no secret."""
    from wan_pipelines.components.cluster_instance import cluster_config
    from wan_pipelines.components.instance import storage_config

    settings, declared = _settings()
    storage = storage_config(settings.dagster_storage)
    _print({**cluster_config(settings, declared), **storage, "telemetry": {"enabled": False}})


@cluster.command()
def pods() -> None:
    """Print the pods of runs, of steps, and of renders on each GPU class, as Dagster is told."""
    from wan_pipelines.components import kubernetes_config as told
    from wan_pipelines.components.tags import GPU_CLASS

    settings, declared = _settings()
    classes = {name: {GPU_CLASS: name} for name in settings.gpu_classes}
    _print(
        {
            "runs": told.run_config(settings, declared),
            "steps": told.step_config(settings, declared),
            "gpu_classes": told.per_step_config(settings, declared, classes),
        }
    )


def _settings() -> tuple[Settings, Cluster]:
    settings = read_settings(project_root(), environment_name())
    if settings.kubernetes is None:
        raise InputError(
            f"environment {settings.name!r} is no cluster.",
            where=f"resources/{settings.name}/defs.yaml",
            remedy="Declare `kubernetes`, or choose another by WAN_PIPELINES_ENV.",
        )
    return settings, settings.kubernetes


def _print(value: dict[str, Any]) -> None:
    typer.echo(yaml.dump(value, Dumper=_Plain, sort_keys=False), nl=False)


class _Plain(yaml.SafeDumper):
    """Without anchors: what stands in two places is written twice."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True
