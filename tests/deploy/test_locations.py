"""`workspace.yaml` and `dagster_cloud.yaml`: what Dagster reads to find the code location."""

from pathlib import Path

import yaml
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster_cloud_cli.config.models import load_dagster_cloud_yaml
from dagster_k8s.container_context import K8sContainerContext

ROOT = Path(__file__).parents[2]
CLOUD = (ROOT / "dagster_cloud.yaml").read_text()


def test_the_workspace_names_the_definitions():
    (origin,) = location_origins_from_yaml_paths([str(ROOT / "workspace.yaml")])
    target = origin.loadable_target_origin
    assert (origin.location_name, target.module_name) == (
        "wan_pipelines",
        "wan_pipelines.definitions",
    )


def test_dagsters_cloud_takes_its_file():
    (location,) = load_dagster_cloud_yaml(CLOUD).locations
    assert location.location_name == "wan_pipelines"
    assert location.code_source
    assert location.code_source.module_name == "wan_pipelines.definitions"
    assert location.build
    assert (ROOT / (location.build.directory or "") / "Dockerfile").is_file()


def test_its_agent_makes_pods_like_ours():
    (location,) = yaml.safe_load(CLOUD)["locations"]
    context = K8sContainerContext.create_from_config(location["container_context"])
    pod, container = context.run_k8s_config.pod_spec_config, context.run_k8s_config.container_config
    assert context.namespace == "wan"
    assert pod["service_account_name"] == "wan-runs"
    assert {"name": "WAN_PIPELINES_ENV", "value": "production"} in container["env"]
    assert container["env_from"] == [
        {"config_map_ref": {"name": "wan-config"}},
        {"secret_ref": {"name": "wan-secrets"}},
    ]
