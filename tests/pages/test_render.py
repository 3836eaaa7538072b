import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.pages.samples import edition, index, ready, sheet, stopped
from wan_pipelines.errors import InputError
from wan_pipelines.pages.render import render_edition_page, render_index_page
from wan_pipelines.pages.view import EditionView, ShotView

HOSTILE = """</script><script>pwned=1</script><img src=x onerror=pwned=1>"'`&{{ 7*7 }}\u202e\x00"""


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def stored(number: int) -> ShotView:
    """A shot whose files lie where a store keeps them, which is what makes pages long."""
    shot = ready(number)
    base = f"../../../videos/ab/{number:064x}/{number:032x}"
    files = [
        replace(shot.renditions[0], name=name, href=f"{base}/{name}.mp4")
        for name in ("h264", "h264-half")
    ]
    return replace(
        shot,
        name=f"{shot.name}-{number}",
        negative_prompt="low quality, " * 20,
        poster_href=f"{base}/poster.webp",
        manifest_href=f"{base}/manifest.json",
        renditions=tuple(files),
    )


def test_a_page_says_what_was_rendered_and_what_it_cost() -> None:
    page = render_edition_page(sheet())
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split("<script>")[0]))
    for sentence in (
        "Autumn shapes 2025-11-22",
        "Videos 14 of 20 shots",
        "Reused 3 paid before",
        "Failed 1",
        "Paid $0.004315",
        "Cost per video $0.000392",
        "Quota left 0 of 5 videos ada, free plan, per day; resets 23 Nov 2025, 00:00 UTC",
        "denoise $0.002410 56 %",
        "a red ball moving right on a black background",
        "May run from 23 Nov 2025, 00:00 UTC .",
    ):
        assert sentence in words


def test_an_edition_without_trouble_has_no_section_about_it() -> None:
    assert "Needs attention" not in render_edition_page(edition((ready(0),)))


def test_many_causes_are_folded() -> None:
    shots = tuple(stopped(f"s{n}", error_text=f"error {n}") for n in range(11))
    assert "3 more causes" in render_edition_page(edition(shots))


def test_a_cause_that_stopped_many_shots_names_a_few() -> None:
    page = render_edition_page(edition(tuple(stopped(f"s{n}") for n in range(1_010))))
    assert page.count('href="#shot=') == 6
    assert "and 1,004 more" in page


def test_nothing_is_loaded_from_elsewhere() -> None:
    for page in (render_edition_page(sheet()), render_index_page(index())):
        assert "@import" not in page
        assert "url(" not in page
        found = Tags(page).found
        sources = [attrs["src"] or "" for _, attrs in found if "src" in attrs]
        assert sources
        assert all(source.startswith("videos/") for source in sources)
        (icon,) = [attrs["href"] or "" for tag, attrs in found if tag == "link"]
        assert icon.startswith("data:image/svg+xml,")


def hostile(view: EditionView) -> EditionView:
    """The edition with hostile text in every field that holds text."""
    about = dict.fromkeys(
        ("campaign", "title", "description", "edition", "tenant", "user", "release", "tier"),
        HOSTILE,
    )
    told = dict.fromkeys(
        ("name", "prompt", "negative_prompt", "reason", "hint", "error_text", "error_stage"),
        HOSTILE,
    )
    keys = {"take_id": HOSTILE, "render_key": HOSTILE, "parents": (HOSTILE,)}
    shots = tuple(replace(shot, **told, **keys) for shot in view.shots)
    return replace(view, **about, shots=shots)


def test_hostile_text_stays_text() -> None:
    plain, attacked = (
        Tags(render_edition_page(view)).found for view in (sheet(), hostile(sheet()))
    )
    assert [tag for tag, _ in attacked if tag == "script"] == ["script", "script"]
    assert not [attrs for _, attrs in attacked if any(name.startswith("on") for name in attrs)]
    assert {tag for tag, _ in attacked} <= {tag for tag, _ in plain}


def test_half_a_surrogate_pair_does_not_keep_a_page_from_being_written() -> None:
    page = render_edition_page(edition((replace(ready(0), prompt="a \ud83d ball"),)))
    assert "a ? ball" in page.encode("utf-8").decode("utf-8")


@pytest.mark.parametrize("field", ["poster_href", "manifest_href"])
def test_addresses_of_shots_are_checked(field: str) -> None:
    shot = replace(ready(0), **{field: "javascript:alert(1)"})
    with pytest.raises(InputError, match="javascript"):
        render_edition_page(edition((shot,)))


def test_addresses_of_the_index_are_checked() -> None:
    (first, *_) = index()
    with pytest.raises(InputError, match="data:"):
        render_index_page([replace(first, href="data:text/html,x")])


def test_the_frame_of_the_cards_follows_the_shape_of_most_shots() -> None:
    def frame(*shapes: tuple[int, int]) -> str:
        shots = tuple(replace(ready(0), width=width, height=height) for width, height in shapes)
        found = re.search(r'<ul class="cards (\w+)">', render_edition_page(edition(shots)))
        return found[1] if found else ""

    assert frame((1280, 720), (1280, 720), (64, 96)) == "wide"
    assert frame((96, 64)) == "landscape"
    assert frame((64, 64), (96, 64), (64, 64)) == "square"
    assert frame((64, 96)) == "portrait"
    assert frame((720, 1280)) == "tall"
    assert frame() == "wide"


def test_small_pictures_are_scaled_up_pixel_by_pixel() -> None:
    small = render_edition_page(edition((ready(0),)))
    large = render_edition_page(edition((ready(5),)))
    assert ('<img class="pixel"' in small, '<img class="pixel"' in large) == (True, False)


def test_ten_thousand_shots_are_a_page_within_seconds() -> None:
    render_edition_page(sheet())  # templates are compiled once
    view = edition(tuple(map(stored, range(10_000))))
    began = time.process_time()
    page = render_edition_page(view)
    assert time.process_time() - began < 8
    assert len(page.encode()) < 16_000_000


def test_the_index_groups_editions_by_campaign_and_keeps_their_order() -> None:
    page = render_index_page(index())
    headings = re.findall(r"<h[23]>(?:<a[^>]*>)?<bdi>(.*?)</bdi>", page)
    assert headings == ["Autumn shapes", "2025-11-22", "2025-11-21", "Winter launch", "manual-7"]
    assert "2 campaigns, 3 editions, 42 videos." in page


def test_campaigns_of_the_same_name_are_told_apart_by_tenant() -> None:
    first, _, third = index()
    page = render_index_page([first, replace(third, tenant="globex")])
    assert page.count('<section class="campaign">') == 2


def test_an_empty_index_says_what_to_do() -> None:
    assert "Launch a campaign" in render_index_page([])
