"""Ctrl-C in the terminal in which `wan dev` was begun."""

import os
import signal
from pathlib import Path

import pytest

from tests.ui import deployment
from wan_pipelines.cli.dev import LOOPBACK

pytestmark = [pytest.mark.xdist_group("ui"), pytest.mark.timeout(400)]


def test_ctrl_c_while_it_begins_leaves_no_process(tmp_path: Path) -> None:
    dagster_port, videos_port = deployment.free_ports(2)
    links = f"http://{LOOPBACK}:{videos_port}"
    project = deployment.deployment(tmp_path / "shipped", links, whole=False)
    with deployment.started(project, dagster_port, links) as dev:
        dev.wait_until(lambda: "Launching Dagster services" in dev.said)
        assert dev.left_after(lambda: os.killpg(dev.process.pid, signal.SIGINT)) == []
