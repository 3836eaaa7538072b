"""`wan dev` where it cannot begin; tests/ui has it running."""

import socket

from tests.cli.invoking import Wan
from tests.support.project import Project


def test_a_port_that_dagster_would_need_is_named(wan: Wan, quick_project: Project) -> None:
    quick_project.environment(links=f"http://127.0.0.1:{free_port()}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = wan("dev", "--port", str(port))
    assert (said.exit_code, said.stdout) == (1, "")
    assert f"port {port} is in use" in said.stderr
    assert "Choose another with --port" in said.stderr


def test_a_port_that_the_videos_would_need_is_named(wan: Wan, quick_project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        quick_project.environment(links=f"http://127.0.0.1:{port}")
        said = wan("dev", "--port", str(free_port()))
    assert (said.exit_code, said.stdout) == (1, "")
    assert f"port {port} is in use" in said.stderr
    assert "Change `links` of the environment" in said.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return bound.getsockname()[1]
