"""`wan dev` over what is shipped, a window to look at it, and the pictures of the documentation."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import chromium, visit
from tests.ui import deployment
from tests.ui.deployment import Dev
from wan_pipelines.cli.dev import LOOPBACK

__all__ = ["chromium"]

PICTURES = os.environ.get("WAN_PICTURES")
"""The folder whose pictures are made anew, of the whole demo: `make pictures`."""


@pytest.fixture(scope="module")
def dev(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """Up and answering; where there is no browser nothing is started."""
    dagster_port, videos_port = deployment.free_ports(2)
    links = f"http://{LOOPBACK}:{videos_port}"
    root = tmp_path_factory.mktemp("shipped")
    project = deployment.deployment(root, links, whole=PICTURES is not None)
    with deployment.started(project, dagster_port, links) as begun:
        begun.wait_until(begun.answers)
        yield begun


@pytest.fixture(scope="module")
def page(chromium: Browser, dev: Dev) -> Iterator[Page]:
    """A window for all tests, as somebody has it who works with Dagster."""
    viewport = {"width": 1500, "height": 900}
    with visit(chromium, dev.dagster, viewport=viewport, reduced_motion="reduce") as visited:
        visited.page.set_default_timeout(60_000)
        yield visited.page


@pytest.fixture
def picture(page: Page) -> Callable[[str], None]:
    """Keeps what the window shows as a picture of that name, when pictures are made."""

    def keep(name: str) -> None:
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / name)

    return keep
