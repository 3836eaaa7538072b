"""Values for Dagster's chart: they make the instance and the pods that the environment declares."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from dagster import Shape
from dagster._config import process_config
from dagster_k8s.job import (
    DagsterK8sJobConfig,
    UserDefinedDagsterK8sConfig,
    construct_dagster_k8s_job,
)
from dagster_k8s.models import k8s_snake_case_dict
from kubernetes import client

from wan_pipelines.components.cluster_instance import cluster_config
from wan_pipelines.components.run_launcher import PatientRunLauncher
from wan_pipelines.studio.settings import Settings, read_settings

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def values() -> Json:
    return yaml.safe_load((ROOT / "deploy" / "dagster-values.yaml").read_text())


@pytest.fixture(scope="module")
def settings() -> Settings:
    return read_settings(ROOT, "production")


@pytest.fixture
def instance(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Json:
    """What the environment says of `dagster.yaml`."""
    for name in ("WAN_IMAGE", "WAN_GPU_IMAGE"):
        monkeypatch.setenv(name, "registry.example.com/wan:1")
    assert settings.kubernetes
    return cluster_config(settings, settings.kubernetes)


def test_runs_are_launched_as_the_environment_says(values: Json, instance: Json):
    launcher, declared = values["runLauncher"], instance["run_launcher"]
    told = launcher["config"]["customRunLauncher"]
    assert launcher["type"] == "CustomRunLauncher"
    assert (told["module"], told["class"]) == (declared["module"], declared["class"])
    own = {"postgres_password_secret": values["global"]["postgresqlSecretName"]}
    at_hand = {**declared["config"], **own}
    del at_hand["job_image"]  # the code server's
    assert told["config"] == at_hand
    assert values["global"]["serviceAccountName"] == told["config"]["service_account_name"]
    assert values["global"]["dagsterHome"] == told["config"]["dagster_home"]
    assert told["config"]["instance_config_map"] == "dagster-instance"  # of the release `dagster`


def test_dagster_makes_that_launcher_of_its_values(values: Json):
    config = values["runLauncher"]["config"]["customRunLauncher"]["config"]
    assert process_config(Shape(PatientRunLauncher.config_type()), config).success


def test_the_queue_and_the_monitor_are_those_of_the_environment(values: Json, instance: Json):
    daemon = values["dagsterDaemon"]
    queue = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert _snake(queue) == instance["run_coordinator"]["config"]
    assert _snake(daemon["runMonitoring"]) == instance["run_monitoring"]


def test_the_pod_of_a_run_is_one_that_kubernetes_takes(values: Json):
    told = values["runLauncher"]["config"]["customRunLauncher"]["config"]["run_k8s_config"]
    job = construct_dagster_k8s_job(
        DagsterK8sJobConfig(
            job_image="registry.example.com/wan:1",
            dagster_home=values["global"]["dagsterHome"],
            instance_config_map="dagster-instance",
        ),
        ["dagster", "api", "execute_run"],
        "dagster-run-1",
        UserDefinedDagsterK8sConfig.from_dict(told),
    )
    manifest: Any = client.ApiClient().sanitize_for_serialization(job)
    kubernetes_validate.validate(manifest, "1.37", strict=True)
    pod = manifest["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "wan-runs"
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("part", ["dagsterWebserver", "dagsterDaemon", "code"])
def test_services_are_confined_and_get_secrets_by_name(values: Json, part: str):
    (code,) = values["dagster-user-deployments"]["deployments"]
    service = code if part == "code" else values[part]
    assert service["image"]["tag"] not in ("latest", "", None)
    assert service["envSecrets"] == [{"name": "wan-secrets"}]
    assert service["podSecurityContext"]["runAsNonRoot"] is True
    assert service["securityContext"]["readOnlyRootFilesystem"] is True
    assert service["resources"]["requests"]["memory"] == service["resources"]["limits"]["memory"]
    volumes = {each["name"] for each in service["volumes"]}
    assert volumes == {each["name"] for each in service["volumeMounts"]}
    for volume in service["volumes"]:
        assert k8s_snake_case_dict(client.V1Volume, volume)


def test_there_is_no_secret_in_it(values: Json):
    assert "postgresqlPassword" not in values["postgresql"]
    assert values["generatePostgresqlPasswordSecret"] is False
    assert values["global"]["postgresqlSecretName"] == "wan-dagster-postgresql"


def test_no_role_but_ours_is_made(values: Json):
    assert values["rbacEnabled"] is False
    assert values["serviceAccount"]["create"] is False


def _snake(fields: Json) -> Json:
    def name(camel: str) -> str:
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in camel)

    return {name(key): value for key, value in fields.items()}
