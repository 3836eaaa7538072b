import yaml

from tests.cli.invoking import Wan
from tests.support.project import Project

SMALL = {"price_usd_per_hour": "2.69", "kubernetes": {"slots": 3}}
CLUSTER = {"gpu_class": "h100", "gpu_classes": {"h100": SMALL}, "cache": "/cache", "kubernetes": {}}


def test_the_instance_of_a_cluster_is_printed_without_secrets(wan: Wan, quick_project: Project):
    quick_project.environment(**CLUSTER, dagster_storage={"env": "WAN_DAGSTER_URL"})
    told = yaml.safe_load(wan("cluster", "instance").stdout)
    assert told["run_launcher"]["class"] == "PatientRunLauncher"
    assert told["storage"]["postgres"]["postgres_url"] == {"env": "WAN_DAGSTER_URL"}


def test_the_pods_of_each_class_are_printed(wan: Wan, quick_project: Project):
    quick_project.environment(**CLUSTER)
    images = {"WAN_IMAGE": "wan:1", "WAN_GPU_IMAGE": "wan-gpu:1"}
    told = yaml.safe_load(wan("cluster", "pods", **images).stdout)
    assert told["steps"]["container_config"]["image"] == "wan:1"
    render = told["gpu_classes"]["h100"]["container_config"]
    assert (render["image"], render["resources"]["limits"]["nvidia.com/gpu"]) == ("wan-gpu:1", "1")


def test_an_image_that_nobody_named_is_asked_for(wan: Wan, quick_project: Project):
    quick_project.environment(**CLUSTER)
    told = wan("cluster", "pods", WAN_IMAGE="wan:1", WAN_GPU_IMAGE="")
    assert told.exit_code
    assert "Set WAN_GPU_IMAGE" in told.stderr


def test_an_environment_of_one_machine_is_no_cluster(wan: Wan):
    told = wan("cluster", "pods")
    assert told.exit_code
    assert "Declare `kubernetes`" in told.stderr


def test_runs_of_a_cluster_are_not_started_as_processes_here(wan: Wan, quick_project: Project):
    quick_project.environment(**CLUSTER)
    told = wan("run", "balls")
    assert told.exit_code
    assert "are pods of a cluster" in told.stderr
