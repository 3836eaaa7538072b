"""The pages as a producer meets them: opened from a file, in a real browser."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages import samples
from tests.pages.test_render import hostile
from tests.support.browser import Visit, accessibility_violations, plays, visit
from wan_pipelines.pages.render import render_edition_page

LOOKS = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True},
}

CLIPBOARD = ["clipboard-read", "clipboard-write"]


@pytest.fixture(scope="module")
def tab(chromium: Browser) -> Iterator[Visit]:
    """One window for all tests that need nothing special of it."""
    with visit(chromium, "about:blank", permissions=CLIPBOARD) as visited:
        yield visited


@pytest.fixture
def page(tab: Visit, site: Path) -> Iterator[Page]:
    """The edition's page, freshly loaded; whatever it complains about fails the test."""
    tab.complaints.clear()
    tab.requests.clear()
    tab.page.mouse.move(0, 0)
    tab.page.goto("about:blank")
    tab.page.goto((site / "edition.html").as_uri())
    yield tab.page
    assert tab.complaints == []
    assert tab.network_requests == []


def names(page: Page) -> list[str]:
    return page.locator(".card .name").all_text_contents()


@pytest.mark.parametrize(
    ("look", "file"),
    [*product(LOOKS, ("edition.html", "index.html", "costs.html")), ("dark", "optimisation.html")],
)
def test_everybody_can_use_the_pages(chromium: Browser, site: Path, look: str, file: str) -> None:
    with visit(chromium, (site / file).as_uri(), **LOOKS[look]) as visited:
        assert visited.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert accessibility_violations(visited.page) == []
        if file == "costs.html":
            visited.page.locator("summary").focus()
            visited.page.keyboard.press("Enter")
            expect(visited.page.get_by_role("region", name="Figures of each day")).to_be_visible()
        if file == "edition.html":
            visited.page.locator("a.frame").first.click()
            plays(visited.page, "dialog video")
            assert accessibility_violations(visited.page) == []
        assert (visited.complaints, visited.network_requests) == ([], [])


def test_light_and_dark_follow_the_reader(page: Page) -> None:
    def paper(look: Literal["light", "dark"]) -> int:
        page.emulate_media(color_scheme=look)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)))

    assert paper("dark") < 3 * 40
    assert paper("light") > 3 * 230


def test_a_card_plays_while_the_pointer_is_on_it(page: Page) -> None:
    first, second = page.locator("a.frame").nth(0), page.locator("a.frame").nth(5)
    first.hover()
    plays(page, ".card:nth-child(1) video")
    second.hover()
    plays(page, ".card:nth-child(6) video")
    assert page.locator(".cards video").count() == 1
    page.mouse.move(0, 0)
    expect(page.locator(".cards video")).to_have_count(0)


def test_the_page_works_from_the_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the shots")).to_be_focused()
    page.keyboard.press("Enter")
    while not page.evaluate("document.activeElement.matches('.frame')"):
        page.keyboard.press("Tab")
    plays(page, ".card:nth-child(1) video")
    page.keyboard.press("Enter")
    heading = page.locator("dialog h2")
    expect(heading).to_have_text("red-ball--96x64--s0")
    page.keyboard.press("ArrowRight")
    expect(heading).to_have_text("green-box--96x64--s1")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    expect(page.locator(".card").nth(1).locator(".frame")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_nothing_moves_for_those_who_ask_for_stillness(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.locator("a.frame").first.hover()
    page.wait_for_timeout(300)
    assert page.locator(".cards video").count() == 0
    page.locator("a.frame").first.click()
    page.wait_for_timeout(200)
    assert page.evaluate("document.querySelector('dialog video').paused")
    page.emulate_media(reduced_motion="null")


def test_the_dialog_tells_everything_about_a_shot(page: Page, site: Path) -> None:
    page.locator("a.frame").nth(1).click()
    told = page.locator("dialog .about")
    for words in (
        "a green box moving right on a white background",
        "Seed7919",
        "96 × 64, 17 frames, 8 fps, 2.12 s",
        "Cost$0.000070",
        "Releasewan-tiny",
        "denoise, high noise0.41 s",
        "H.264, 96 × 64, 14.2 kB",
        "blurry, static, low quality",
    ):
        expect(told).to_contain_text(words)
    links = [link.get_attribute("href") or "" for link in told.get_by_role("link").all()]
    assert links == [f"videos/green-box--96x64/{name}" for name in ("h264.mp4", "manifest.json")]
    assert urljoin(page.url, links[0]) == (site / links[0]).as_uri()


def test_the_render_key_can_be_copied(page: Page) -> None:
    page.locator("a.frame").nth(1).click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{104_729:064x}"


def test_shots_are_filtered_searched_and_sorted(page: Page) -> None:
    everything = names(page)
    page.get_by_role("button", name="Over limit").click()
    assert names(page) == ["late-ball--s1", "late-ball--s2"]
    expect(page.get_by_role("button", name="Over limit")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".matches")).to_have_text("2 of 21 shots")
    page.get_by_role("button", name=re.compile("^All")).click()
    assert names(page) == everything

    page.get_by_role("searchbox").fill("GREEN 7919")
    assert names(page) == ["green-box--96x64--s1"]
    page.get_by_role("searchbox").fill("unicorn")
    page.get_by_role("button", name="Show all").click()
    assert names(page) == everything

    page.get_by_role("combobox").select_option("most expensive first")
    assert names(page)[0] == "rainbow-cube"
    page.get_by_role("combobox").select_option("by name")
    assert names(page) == sorted(
        everything,
        key=lambda name: [int(t) if t.isdigit() else t for t in re.split(r"(\d+)", name)],
    )


def test_the_dialog_walks_through_the_shots_that_match(page: Page) -> None:
    page.get_by_role("searchbox").fill("late-ball")
    page.locator(".frame").first.click()
    expect(page.get_by_role("button", name="Previous shot")).to_be_hidden()
    page.get_by_role("button", name="Next shot").click()
    expect(page.locator("dialog h2")).to_have_text("late-ball--s2")
    expect(page.get_by_role("button", name="Next shot")).to_be_hidden()


def test_troubles_lead_to_their_shots(page: Page) -> None:
    page.get_by_role("link", name="rainbow-cube").click()
    told = page.locator("dialog .about")
    expect(told).to_contain_text("Error, decode")
    expect(told).to_contain_text("not finite")
    expect(told).to_contain_text("Another seed often helps")
    expect(page.locator("dialog video")).to_be_hidden()


def test_the_address_of_an_open_shot_can_be_passed_on(page: Page) -> None:
    page.locator("a.frame").nth(3).click()
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator("dialog h2")).to_have_text("purple-ball--64x64--s3")


def test_a_video_that_is_gone_is_said_to_be_gone(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "edition.html").write_text(render_edition_page(samples.sheet(1)), "utf-8")
    with visit(chromium, (tmp_path / "edition.html").as_uri()) as visited:
        visited.page.locator("a.frame").first.click()
        expect(visited.page.locator(".absent")).to_contain_text("moved or removed")


def test_without_scripts_the_videos_are_still_there(chromium: Browser, site: Path) -> None:
    address = (site / "edition.html").as_uri()
    with visit(chromium, address, java_script_enabled=False) as visited:
        assert visited.page.locator(".card").count() == 21
        link = visited.page.locator("a.frame").first.get_attribute("href") or ""
        assert (site / link).stat().st_size > 0


def written(folder: Path, text: str) -> str:
    path = folder / "page.html"
    path.write_text(text, "utf-8")
    return path.as_uri()


def test_hostile_text_is_shown_and_not_run(chromium: Browser, tmp_path: Path) -> None:
    view = samples.edition(samples.stopped_shots())
    address = written(tmp_path, render_edition_page(hostile(view)))
    with visit(chromium, address, **LOOKS["phone"]) as visited:
        page = visited.page
        page.locator(".frame").first.click()
        expect(page.locator("dialog .prompt")).to_contain_text("</script><script>pwned=1")
        assert page.evaluate("typeof pwned") == "undefined"
        assert visited.complaints == []  # the policy had nothing to stop


def test_the_policy_stops_what_should_ever_get_through(chromium: Browser, tmp_path: Path) -> None:
    smuggled = "<img src=x onerror='pwned=1'><script>pwned=1</script><style>*{zoom:9}</style>"
    honest = render_edition_page(samples.edition((samples.ready(0),)))
    address = written(tmp_path, honest.replace("</main>", f"{smuggled}</main>"))
    with visit(chromium, address) as visited:
        assert visited.page.evaluate("typeof pwned") == "undefined"
        assert visited.page.evaluate("getComputedStyle(document.body).zoom") == "1"
        assert len([text for text in visited.complaints if "Security Policy" in text]) == 3


def test_very_long_words_do_not_widen_a_phone(chromium: Browser, tmp_path: Path) -> None:
    words = ("w", "שלום", "界", "🎉")
    shots = tuple(samples.stopped(word * 90, prompt=word * 400) for word in words)
    address = written(tmp_path, render_edition_page(samples.edition(shots)))
    with visit(chromium, address, **LOOKS["phone"]) as visited:
        assert visited.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_thousand_shots_stay_usable(chromium: Browser, site: Path) -> None:
    view = samples.edition(tuple(map(samples.ready, range(1_000))))
    (site / "large.html").write_text(render_edition_page(view), "utf-8")
    with visit(chromium, (site / "large.html").as_uri()) as visited:
        page = visited.page
        assert page.locator(".card").count() < 250
        assert len(set(visited.requests)) < 20
        search = """() => {
            const box = document.querySelector("input[type=search]");
            box.value = "s997";
            const began = performance.now();
            box.dispatchEvent(new Event("input"));
            document.body.offsetHeight;
            return performance.now() - began;
        }"""
        assert page.evaluate(search) < 500  # milliseconds, on a busy machine
        assert names(page) == ["green-box--96x64--s997"]
        page.get_by_role("searchbox").fill("")
        page.get_by_role("combobox").select_option("slowest first")
        while page.locator(".card").count() < 300:
            page.mouse.wheel(0, 20_000)
            page.wait_for_timeout(20)
        assert len(set(names(page))) == page.locator(".card").count()

        page.goto("about:blank")
        page.goto((site / "large.html").as_uri() + "#shot=red-ball--96x64--s600")
        expect(page.locator("dialog h2")).to_have_text("red-ball--96x64--s600")
        page.keyboard.press("Escape")
        expect(page.locator(".frame:focus img")).to_have_attribute(
            "alt", "Open red-ball--96x64--s600"
        )
        assert visited.complaints == []


def test_the_whole_sheet_is_printed(chromium: Browser, site: Path, tmp_path: Path) -> None:
    view = samples.edition(tuple(map(samples.ready, range(150))))
    (site / "printed.html").write_text(render_edition_page(view), "utf-8")
    with visit(chromium, (site / "printed.html").as_uri(), color_scheme="dark") as visited:
        pdf = visited.page.pdf(format="A4")
        assert visited.page.locator(".card").count() == 150
        pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
        assert 5 < pages < 25


def test_editions_are_found_by_what_is_written_about_them(page: Page, site: Path) -> None:
    page.goto((site / "index.html").as_uri())
    shown = page.locator(".edition-row:visible h3")
    page.get_by_role("searchbox").fill("autumn 11-21")
    assert shown.all_text_contents() == ["2025-11-21"]
    expect(page.locator(".campaign:visible")).to_have_count(1)
    expect(page.locator(".matches")).to_have_text("1 edition")
    page.get_by_role("searchbox").fill("nothing like it")
    expect(page.get_by_text("No edition matches.")).to_be_visible()


def test_posters_of_the_index_move_and_lead_to_their_shot(page: Page, site: Path) -> None:
    page.goto((site / "index.html").as_uri())
    poster = page.locator(".strip img").nth(1)
    poster.hover()
    expect(poster).to_have_attribute("src", "videos/green-box--96x64/preview.webp")
    page.mouse.move(0, 0)
    assert (poster.get_attribute("src") or "").endswith("green-box--96x64/poster.webp")
    poster.click()
    expect(page.locator("dialog h2")).to_have_text("green-box--96x64--s1")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="All campaigns").click()
    expect(page).to_have_title("Campaigns")


def test_posters_of_the_index_keep_still_for_those_who_ask(page: Page, site: Path) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto((site / "index.html").as_uri())
    poster = page.locator(".strip img").first
    poster.hover()
    assert poster.get_attribute("src") == "videos/red-ball--96x64/poster.webp"
    page.emulate_media(reduced_motion="null")
