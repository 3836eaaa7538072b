"""Our chart: it renders what a current Kubernetes takes, and refuses values that mean nothing."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.helm import helm
from wan_pipelines.studio.settings import Settings, read_settings

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "chart"
KUBERNETES = "1.37"
IMAGES = {
    "images.control.repository": "registry.example.com/wan-pipelines",
    "images.control.tag": "1.4.0",
    "images.gpu.repository": "registry.example.com/wan-pipelines-gpu",
    "images.gpu.digest": "sha256:" + "0" * 64,
}
Json = dict[str, Any]


def rendered(**values: Any) -> list[Json]:
    """The chart's objects with some values changed."""
    done = helm("template", "wan", str(CHART), "--namespace", "wan", *options(values))
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def options(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in {**IMAGES, **values}.items():
        yield from ("--set-json", f"{name}={json.dumps(value)}")


@pytest.fixture(scope="module")
def objects() -> list[Json]:
    return rendered()


@pytest.fixture(scope="module")
def settings() -> Settings:
    return read_settings(ROOT, "production")


def of_kind(objects: list[Json], kind: str) -> dict[str, Json]:
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def pod_specs(objects: list[Json]) -> Iterator[Json]:
    for each in objects:
        if each["kind"] == "Pod":
            yield each["spec"]
        elif "template" in each.get("spec", {}):
            yield each["spec"]["template"]["spec"]


def containers(spec: Json) -> list[Json]:
    return [*spec.get("initContainers", []), *spec["containers"]]


def test_helm_finds_nothing_to_complain_about():
    done = helm("lint", str(CHART), "--strict", *options({}))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_current_kubernetes_takes_every_object(objects: list[Json]):
    for each in objects:
        kubernetes_validate.validate(each, KUBERNETES, strict=True)
    assert {each["kind"] for each in objects} >= {
        "ConfigMap",
        "DaemonSet",
        "Deployment",
        "Job",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "PriorityClass",
        "ResourceQuota",
        "Role",
        "ServiceAccount",
    }


def test_what_is_switched_off_is_not_there():
    parts = ("weightCache", "exporter", "quota", "networkPolicies", "podDisruptionBudgets")
    off = {f"{part}.enabled": False for part in (*parts, "migration")}
    left = {each["kind"] for each in rendered(**off, **{"priorityClasses.create": False})}
    assert left == {"ConfigMap", "Pod", "Role", "RoleBinding", "ServiceAccount"}


def test_the_role_is_the_one_that_runs_are_tested_with(objects: list[Json]):
    (role,) = of_kind(objects, "Role").values()
    assert role["rules"] == yaml.safe_load((CHART / "files" / "role.yaml").read_text())
    assert "*" not in json.dumps(role["rules"])
    (binding,) = of_kind(objects, "RoleBinding").values()
    assert [each["name"] for each in binding["subjects"]] == ["wan-runs"]


def test_names_are_those_of_the_environment(objects: list[Json], settings: Settings):
    cluster = settings.kubernetes
    assert cluster
    accounts = of_kind(objects, "ServiceAccount")
    assert set(accounts) == {cluster.service_account, cluster.step_service_account}
    assert tuple(of_kind(objects, "ConfigMap")) == cluster.config_maps
    assert {each["metadata"]["namespace"] for each in accounts.values()} == {cluster.namespace}
    classes = [each.kubernetes for each in settings.gpu_classes.values() if each.kubernetes]
    assert {each.priority_class for each in classes} == set(of_kind(objects, "PriorityClass"))
    sets = of_kind(objects, "DaemonSet").values()
    selectors = [each["spec"]["template"]["spec"]["nodeSelector"] for each in sets]
    assert selectors == [each.node_selector for each in classes]
    volumes = [each["spec"]["template"]["spec"]["volumes"][0]["hostPath"] for each in sets]
    assert {each["path"] for each in volumes} == {settings.cache}
    slots = sum(each.slots for each in classes)
    (quota,) = of_kind(objects, "ResourceQuota").values()
    assert quota["spec"]["hard"]["requests.nvidia.com/gpu"] == str(slots)


def test_every_container_is_confined(objects: list[Json]):
    for spec in pod_specs(objects):
        assert spec["automountServiceAccountToken"] is False
        for each in containers(spec):
            security = {**spec["securityContext"], **each["securityContext"]}
            assert security["readOnlyRootFilesystem"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"]["drop"] == ["ALL"]
            assert each["resources"]["requests"]["memory"] == each["resources"]["limits"]["memory"]
            if each["name"] == "folder":
                assert security["capabilities"]["add"] == ["CHOWN"]
            else:
                assert (security["runAsUser"], security["runAsNonRoot"]) == (10001, True)


def test_secrets_are_named_and_never_told(objects: list[Json]):
    assert not of_kind(objects, "Secret")
    (job,) = of_kind(objects, "Job").values()
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "wan-secrets"}}]


def test_databases_are_migrated_before_anything_else(objects: list[Json]):
    (job,) = of_kind(objects, "Job").values()
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["wan", "migrate"]


def test_no_budget_holds_a_drain_up_for_ever(objects: list[Json]):
    """What there is one of may go; of several one stays, unless none of them works anyway."""
    budgets = {n: each["spec"] for n, each in of_kind(objects, "PodDisruptionBudget").items()}
    assert budgets.pop("wan-webserver")["minAvailable"] == 1
    assert {each["maxUnavailable"] for each in budgets.values()} == {1}
    dagster = yaml.safe_load((ROOT / "deploy" / "dagster-values.yaml").read_text())
    assert dagster["dagsterWebserver"]["replicaCount"] == 2
    (code,) = dagster["dagster-user-deployments"]["deployments"]
    assert budgets["wan-code-server"]["selector"]["matchLabels"]["deployment"] == code["name"]
    (exporter,) = of_kind(objects, "Deployment").values()
    labels = exporter["spec"]["template"]["metadata"]["labels"]
    assert budgets["wan-exporter"]["selector"]["matchLabels"].items() <= labels.items()


def test_pods_with_a_gpu_do_not_reach_the_api_server(objects: list[Json]):
    policy = of_kind(objects, "NetworkPolicy")["wan-api-server"]
    (expression,) = policy["spec"]["podSelector"]["matchExpressions"]
    assert expression == {"key": "wan/gpu-class", "operator": "DoesNotExist"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"images.control.tag": "latest"}, "/images/control/tag"),
        ({"images.control.tag": ""}, "/images/control"),
        ({"images.gpu.digest": "sha256:abc"}, "/images/gpu/digest"),
        ({"images.control.repository": "wan:1.0"}, "/images/control/repository"),
        ({"exporters.enabled": True}, "exporters"),
        ({"exporter.port": 80}, "/exporter/port"),
        ({"config.WAN_LEDGER_URL": "postgresql://w:s@db/wan"}, "WAN_LEDGER_URL"),
        ({"config.AWS_SECRET_ACCESS_KEY": "s"}, "AWS_SECRET_ACCESS_KEY"),
        ({"config.AWS_REGION": 7}, "/config/AWS_REGION"),
        ({"quota.hard": {"pods": "many"}}, "/quota/hard/pods"),
        ({"weightCache.pools": [{"name": "h100"}]}, "/weightCache/pools/0"),
        ({"networkPolicies.database.cidr": "db.internal"}, "/networkPolicies/database/cidr"),
        ({"environment": ""}, "/environment"),
        ({"quota.hard": {"count/jobs.batch": "9"}}, "count/jobs.batch"),
        ({"weightCache.tolerations": [{}]}, "/weightCache/tolerations/0"),
        ({"networkPolicies.ui.namespaceLabels": {"a": "b c"}}, "/ui/namespaceLabels/a"),
        ({"podDisruptionBudgets.budgets": [{"name": "a", "matchLabels": {"a": "b"}}]}, "budgets/0"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_values_that_mean_nothing_are_refused(values: Json, said: str):
    done = helm("template", "wan", str(CHART), *options(values))
    assert done.returncode != 0
    assert said in done.stderr


def test_without_images_it_says_what_is_missing():
    done = helm("template", "wan", str(CHART))
    assert "/images/control/repository" in done.stderr


def test_only_what_launches_runs_and_steps_gets_a_token(objects: list[Json]) -> None:
    """Dagster's daemon gets one from its account alone: its chart's pods have no such field."""
    accounts = of_kind(objects, "ServiceAccount")
    tokens = {name: each["automountServiceAccountToken"] for name, each in accounts.items()}
    assert tokens == {"wan-runs": True, "wan-steps": False}
