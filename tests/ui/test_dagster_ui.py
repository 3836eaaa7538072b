"""A producer's morning in Dagster's UI: launch, look at the videos, switch everything off."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as NotYet

from tests.ledger import books
from tests.support.browser import plays
from tests.ui.deployment import PATIENCE_SECONDS, Dev
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.reports import videos

pytestmark = [pytest.mark.xdist_group("ui"), pytest.mark.timeout(4 * PATIENCE_SECONDS)]

JOBS = "locations/wan_pipelines/jobs"
RUN = re.compile(r"/runs/([0-9a-f-]{36})")
PROMPT = "a blue ball moving left to right on a black background"
PATIENCE_MS = PATIENCE_SECONDS * 1000


@dataclass(frozen=True, slots=True)
class Launched:
    """Identifiers of runs that somebody launched."""

    campaign: str
    prompt: str


@pytest.fixture(scope="module")
def launched(page: Page, dev: Dev) -> Launched:
    """An edition and a prompt, one after the other; nobody has waited for them."""
    return Launched(launch_edition(page, dev, "demo", "first"), launch_prompt(page, dev))


def launch_edition(page: Page, dev: Dev, campaign: str, edition: str) -> str:
    page.goto(f"{dev.dagster}/{JOBS}/campaign_{campaign}")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("button", name="Add a partition").click()
    page.get_by_placeholder("name").fill(edition)
    page.get_by_role("button", name="Save").click()
    chosen(page, edition).click()
    page.get_by_text("Launched run").locator("xpath=following::*[text()='View']").first.click()
    return run_shown(page)


def chosen(page: Page, edition: str) -> Locator:
    """The button that launches the edition which was just added.

    Dagster chooses it, unless the list of editions arrives afterwards and the choice is forgotten.
    """
    launch = page.get_by_role("button", name="Launch 1 run")
    for _ in range(5):
        with suppress(NotYet):
            launch.wait_for(timeout=15_000)
            break
        page.get_by_text("Select a partition or create one").click()
        page.get_by_role("menuitem", name=edition).click()
        page.keyboard.press("Escape")
    return launch


def launch_prompt(page: Page, dev: Dev) -> str:
    """Types another prompt than the one that the launchpad proposes."""
    page.goto(f"{dev.dagster}/{JOBS}/render_prompt")
    more = page.get_by_role("button", name="Materialize").locator("xpath=following::button[1]")
    more.click()
    page.get_by_text("Open launchpad").click()
    launchpad = page.get_by_role("dialog")
    launchpad.get_by_text("a red ball").click()
    page.keyboard.press("End")
    page.keyboard.press("Shift+Home")
    page.keyboard.type(f"prompt: {PROMPT}")
    expect(launchpad.get_by_text(PROMPT)).to_be_visible(timeout=PATIENCE_MS)
    expect(launchpad.get_by_text("No errors")).to_be_visible(timeout=PATIENCE_MS)
    launchpad.get_by_role("button", name="Materialize").click()
    return run_shown(page)


def run_shown(page: Page) -> str:
    """The run that Dagster shows after a launch; nobody watches it: that would slow it down."""
    page.wait_for_url(RUN)
    found = RUN.search(page.url)
    assert found
    page.goto("about:blank")
    return found[1]


def ends_green(page: Page, dev: Dev, run: str) -> None:
    dev.succeeds(run)
    page.goto(f"{dev.dagster}/runs/{run}")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible(timeout=PATIENCE_MS)


def row(page: Page, key: str) -> Locator:
    """A row of an asset's metadata."""
    return page.get_by_role("row").filter(has=page.get_by_text(key, exact=True))


def shows_posters(page: Page, dev: Dev) -> None:
    posters = row(page, "posters").get_by_role("img", name="Posters")
    expect(posters).to_be_visible(timeout=PATIENCE_MS)
    assert (posters.get_attribute("src") or "").startswith(f"{dev.videos}/tenants/demo/")
    dev.wait_until(lambda: posters.evaluate("image => image.complete && image.naturalWidth > 0"))


def test_both_addresses_are_told(dev: Dev) -> None:
    assert f"Dagster: {dev.dagster}   videos: {dev.videos}\n" in dev.said


def test_the_definitions_are_loaded(page: Page, dev: Dev) -> None:
    page.goto(f"{dev.dagster}/locations")
    expect(page.get_by_text("1 code location")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Loaded", exact=True)).to_be_visible(timeout=PATIENCE_MS)


def test_a_campaign_launched_by_clicking_ends_green(
    page: Page, dev: Dev, launched: Launched
) -> None:
    ends_green(page, dev, launched.campaign)


def test_the_videos_show_their_posters(
    page: Page, dev: Dev, launched: Launched, picture: Callable[[str], None]
) -> None:
    ends_green(page, dev, launched.campaign)
    page.goto(f"{dev.dagster}/assets/demo/videos")
    shows_posters(page, dev)
    picture("dagster-videos.png")


def test_the_page_is_a_click_away_and_plays(page: Page, dev: Dev, launched: Launched) -> None:
    ends_green(page, dev, launched.campaign)
    page.goto(f"{dev.dagster}/assets/demo/videos")
    with page.expect_popup() as opened:
        row(page, "page").get_by_role("link").first.click()
    edition = opened.value
    edition.emulate_media(reduced_motion="no-preference")  # else a film waits for its play button
    edition.locator("a.frame").first.click()
    plays(edition, "dialog video")
    edition.close()


def test_a_prompt_typed_into_the_launchpad_is_rendered(
    page: Page, dev: Dev, launched: Launched
) -> None:
    ends_green(page, dev, launched.prompt)
    page.goto(f"{dev.dagster}/assets/prompt/video")
    shows_posters(page, dev)
    rendered = videos(dev.project.studio().ledger, "demo")
    assert PROMPT in {video.prompt for video in rendered}


def test_the_lineage_shows_what_is_made_of_what(
    page: Page, dev: Dev, picture: Callable[[str], None]
) -> None:
    page.goto(f"{dev.dagster}/locations/wan_pipelines/asset-groups/demo/lineage")
    nodes = page.locator("foreignObject")
    for name in ("shots", "takes", "videos", "costs"):
        node = nodes.filter(has_text=name).first
        expect(node).to_be_attached(timeout=PATIENCE_MS)
        expect(node.get_by_text("Partitions", exact=True)).to_be_attached(timeout=PATIENCE_MS)
        expect(node.get_by_text("Loading")).to_have_count(0, timeout=PATIENCE_MS)
    picture("dagster-graph.png")
    page.goto("about:blank")  # a graph keeps a core busy


def test_sigterm_in_the_middle_of_a_run_leaves_no_process(page: Page, dev: Dev) -> None:
    """The last of these tests: there is no UI after it."""
    launch_edition(page, dev, "catalogue", "last")
    with ledger_of(dev) as ledger:
        before = books.accepted_takes(ledger).total()
        dev.wait_until(lambda: books.accepted_takes(ledger).total() > before)
        assert dev.left_after(dev.process.terminate) == []
        books.check(ledger)
        assert all(amount for amount, _ in books.paid_and_charged(ledger).values())


@contextmanager
def ledger_of(dev: Dev) -> Iterator[Ledger]:
    with Ledger.open(dev.project.state / "ledger.sqlite") as ledger:
        yield ledger
