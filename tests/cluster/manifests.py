"""What the API server was given, and whether a current Kubernetes would take it as it is."""

from tests.support.control_plane import Json

SCHEMA = "1.37"
ASSIGNED = (
    "creationTimestamp",
    "uid",
    "resourceVersion",
    "managedFields",
    "selfLink",
    "generation",
)


def problem(job: Json) -> str:
    """Why a current schema refuses a Job, unknown fields included; empty if it does not."""
    import kubernetes_validate

    given = {
        **{key: job[key] for key in ("metadata", "spec")},
        "apiVersion": "batch/v1",
        "kind": "Job",
    }
    given["metadata"] = {k: v for k, v in job["metadata"].items() if k not in ASSIGNED}
    try:
        kubernetes_validate.validate(given, SCHEMA, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error)
    return ""


def pod_of(job: Json) -> Json:
    return job["spec"]["template"]["spec"]


def is_hardened(pod: Json) -> bool:
    """An ordinary user who gains nothing, on a root that nobody writes to, within limits."""
    user = pod["securityContext"]
    containers = [*pod["containers"], *pod.get("initContainers", [])]
    return user["runAsNonRoot"] is True and all(
        each["securityContext"]["readOnlyRootFilesystem"] is True
        and each["securityContext"]["allowPrivilegeEscalation"] is False
        and each["securityContext"]["capabilities"]["drop"] == ["ALL"]
        and each["resources"]["requests"] == each["resources"]["limits"]
        for each in containers
    )
