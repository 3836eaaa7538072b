"""A headless Chromium for tests of what people see.

Use it by importing the fixtures into a `conftest.py`: `from tests.support.browser import chromium`.
It is started once per test module, not per session: while Playwright's synchronous interface is up,
its thread has a running event loop, in which nothing else may call `asyncio.run`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of one module; skips where none is installed."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing; install it with: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page that is open, and everything it complained about or asked the network for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def network_requests(self) -> list[str]:
        """Requests that left this machine's files."""
        return [url for url in self.requests if not url.startswith(("file:", "data:"))]


@contextmanager
def visit(browser: Browser, url: str, **context: Any) -> Iterator[Visit]:
    """Opens `url` in a fresh context; `context` goes to Playwright (viewport, ...)."""
    with browser.new_context(**context) as opened:
        visited = Visit(opened.new_page())

        def failed(request: Request) -> None:
            # Leaving a video before it has loaded aborts its request: that is how browsers stop.
            if request.failure != "net::ERR_ABORTED":
                visited.complaints.append(f"{request.url}: {request.failure}")

        visited.page.on("request", lambda request: visited.requests.append(request.url))
        visited.page.on("requestfailed", failed)
        visited.page.on("pageerror", lambda error: visited.complaints.append(str(error)))
        visited.page.on(
            "console",
            lambda message: (
                visited.complaints.append(message.text)
                if message.type in ("error", "warning")
                else None
            ),
        )
        visited.page.goto(url)
        yield visited


def accessibility_violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands, one line per rule and element."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


def plays(page: Page, selector: str) -> None:
    """Waits until a video runs. The pages' policy forbids Playwright's own waiting, which evals."""
    deadline = time.monotonic() + 20
    running = "(all) => all.some((video) => video.currentTime > 0 && !video.paused)"
    while not page.locator(selector).evaluate_all(running):
        assert time.monotonic() < deadline, f"{selector} does not play"
        page.wait_for_timeout(20)
