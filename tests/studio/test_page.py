import re

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.errors import RenderError
from wan_pipelines.ledger.reports import edition_shots_view, edition_totals
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.page import pages_of, write_pages
from wan_pipelines.studio.planning import admit
from wan_pipelines.studio.studio import Studio


def page_of(studio: Studio, campaign: str = "balls", edition: str = "one") -> str:
    key = pages_of(edition_key(studio, campaign, edition)).page
    return studio.store.read_bytes(key).decode()


def index_of(studio: Studio, tenant: str = "demo") -> str:
    return studio.store.read_bytes(f"tenants/{tenant}/index.html").decode()


def test_a_page_shows_every_shot_and_points_to_files_that_are_there(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    page = page_of(studio)
    assert "a red ball rising" in page
    assert "a blue box falling" in page
    folder = (quick_project.state / "store" / "tenants/demo/campaigns/balls/one").resolve()
    addresses = set(re.findall(r'(?:src|href)="(\.\./[^"]+)"', page))
    assert any(address.endswith("poster.webp") for address in addresses)
    for address in addresses:
        assert (folder / address).resolve().is_file(), address


def test_a_page_tells_failures_and_refusals_with_remedies(quick_project: Project):
    quick_project.campaign(prompts=["a red ball rising", "x" * 600])
    studio = quick_project.studio()
    fault = RenderError("The frames are not finite.", stage="decode")
    render_edition(studio, faults={"a red ball rising": fault})
    page = page_of(studio)
    assert "The frames are not finite." in page
    assert "The text is longer than 512 characters." in page
    assert "Shorten the prompt; details that matter most come first." in page


@pytest.mark.parametrize("dagster", ["http://dagster.example", None])
def test_a_page_links_to_its_runs_where_dagster_can_be_reached(
    quick_project: Project, dagster: str | None
):
    quick_project.environment(dagster=dagster)
    studio = quick_project.studio()
    render_edition(studio)
    assert ('href="http://dagster.example/runs/run"' in page_of(studio)) is bool(dagster)


def test_a_page_shows_the_quota_that_is_left(quick_project: Project):
    quick_project.campaign(tenant="small")
    studio = quick_project.studio()
    render_edition(studio)
    assert "mira, videos a day" in page_of(studio)
    assert "of 5 videos" in page_of(studio)


def test_the_index_lists_editions_with_a_page_the_latest_first(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio, "one")
    render_edition(studio, "two")
    admit(studio, "balls", "three")
    index = index_of(studio)
    assert index.index("campaigns/balls/two/index.html") < index.index("campaigns/balls/one/")
    assert "campaigns/balls/three" not in index


def test_the_index_leaves_out_an_entry_that_it_cannot_read(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio, "one")
    studio.store.put_bytes(pages_of(edition_key(studio, "balls", "one")).entry, b'{"version": 9}')
    render_edition(studio, "two")
    index = index_of(studio)
    assert "campaigns/balls/two/" in index
    assert "campaigns/balls/one/" not in index


def test_a_brief_that_cannot_be_read_now_does_not_keep_others_from_their_pages(
    quick_project: Project,
):
    studio = quick_project.studio()
    render_edition(studio)
    edition = edition_key(studio, "balls", "one")
    quick_project.campaign().write_text("type: [")
    shots = edition_shots_view(studio.ledger, edition)
    write_pages(studio, edition, shots, edition_totals(studio.ledger, edition))
    assert "<title>balls" in studio.store.read_bytes(pages_of(edition).page).decode()


def test_tenants_have_an_index_each(quick_project: Project):
    quick_project.campaign("theirs", tenant="small", prompts=["a green cone turning"])
    studio = quick_project.studio()
    render_edition(studio, campaign="balls")
    render_edition(studio, campaign="theirs")
    assert "theirs" not in index_of(studio, "demo")
    assert "balls" not in index_of(studio, "small")
