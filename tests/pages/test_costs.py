"""What a finance person reads."""

import re
from dataclasses import replace

from tests.pages.cost_samples import costs, optimisation, spent
from wan_pipelines.pages.costs import PARTS, quotient
from wan_pipelines.pages.render import render_costs_page, render_optimisation_page

HOSTILE = "</title><script>alert(1)</script>"


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))


def test_the_first_sentence_says_what_was_paid_for_how_much_and_what_was_lost():
    told = words(render_costs_page(costs()))
    paid = re.search(
        r"From 24 Oct 2026 to 22 Nov 2026, (\$[\d,.]+) was paid for ([\d,]+) videos", told
    )
    assert paid
    assert "$0.1000 each. 20 % of it went into something other" in told


def test_every_figure_that_is_drawn_is_written_as_well():
    view = costs()
    page = render_costs_page(view)
    table = page[page.index("<details>") : page.index("</details>")]
    assert table.count('<th scope="row">') == len(view.days) == 30
    for name, meaning in PARTS:
        assert f'<th scope="col">{name}</th>' in table
        assert meaning in page
    assert len(re.findall("<title ", page)) == len(re.findall("<desc ", page)) == 2
    assert "<script></script>" in page  # nothing has to run


def test_a_target_that_was_missed_is_said_to_be():
    told = words(render_costs_page(costs()))
    assert "720p $0.0800 $0.1000 9,000 missed" in told
    assert "wan-tiny $0.000100 $0.000070 12 met" in told


def test_nothing_paid_is_a_page_too():
    nothing = replace(costs(), total=spent(0, 0), days=costs().days[:1], rankings=())
    assert "Nothing was paid from 24 Oct 2026" in words(render_costs_page(nothing))


def test_names_are_text():
    for page in (
        render_costs_page(costs(HOSTILE, HOSTILE)),
        render_optimisation_page(optimisation(HOSTILE)),
    ):
        assert HOSTILE not in page


def test_a_missed_target_says_what_would_have_met_it_with_its_quality():
    view = optimisation()
    told = words(render_optimisation_page(view))
    assert "Target: $0.000100 for wan-tiny" in told
    assert "tier draft $0.000072 met 1.00 s".replace("1.00", "3.60") in told
    assert "prompt fidelity 0.83" in told
    assert "tier other $0.000300 missed 3.60 s 3.70 s 6.0 not measured" in told
    first, *_ = view.missed[0].shown
    assert first.changes == ()


def test_a_thousandth_of_a_cent_is_rounded_and_not_lost():
    assert [quotient(amount, 3) for amount in (4, 5, -4)] == [1, 2, -1]
    assert quotient(4, 0) is None
