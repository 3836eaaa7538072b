from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.campaigns.briefs import brief, write_brief
from wan_pipelines.campaigns.brief import read_brief
from wan_pipelines.campaigns.editions import brief_digest, check_edition, edition_at
from wan_pipelines.errors import InputError

moments = st.integers(0, 4_000_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))


@pytest.mark.parametrize("key", ["2026-11-01-0300", "spring_2", "a", "v1.2+b-c", "x" * 100])
def test_ordinary_keys_name_editions(key: str) -> None:
    assert check_edition(key) == key


@pytest.mark.parametrize(
    "key",
    [
        *("", ".", "..", "a...b", "a..b", "../a", "a/b", "a\\b", ".a", "a.", "-a", "a\nb", "a\n"),
        *("a b", "a:b", "é", "\0", "x" * 101),
    ],
)
def test_keys_that_are_no_partition_folder_and_address_are_refused(key: str) -> None:
    with pytest.raises(InputError, match=r"^edition: .*cannot be the key of an edition\. Use"):
        check_edition(key)


@given(moments, st.sampled_from(sorted(available_timezones())))
def test_every_moment_has_an_edition_key(moment: datetime, time_zone: str) -> None:
    assert check_edition(edition_at(moment, time_zone))


def test_keys_follow_the_clocks_of_the_time_zone() -> None:
    winter = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    assert edition_at(winter, "Europe/Berlin") == "2026-02-01-0030"
    assert edition_at(winter + timedelta(days=150), "Europe/Berlin") == "2026-07-01-0130"
    assert edition_at(winter, "America/New_York") == "2026-01-31-1830"


def test_digest_changes_with_the_brief_and_with_the_rows_beside_it(tmp_path: Path) -> None:
    path = write_brief(tmp_path / "demo", "prompts_file: a.csv", prompts=None)
    rows = path.parent / "a.csv"
    rows.write_text("prompt\na ball\n")
    read = read_brief(path)
    before = brief_digest(read, path.parent)
    rows.write_text('prompt,name\n"a ball",\n')
    assert brief_digest(read, path.parent) == before
    rows.write_text("prompt\na box\n")
    assert brief_digest(read, path.parent) != before


def test_digest_is_pinned_to_what_the_brief_says() -> None:
    here = Path("nowhere")
    assert brief_digest(brief(), here) == brief_digest(brief(rerender="on_change"), here)
    for said in ({"priority": 1}, {"can_wait": True}, {"budget_per_month": {"usd": "400"}}):
        assert brief_digest(brief(), here) != brief_digest(brief(**said), here)


def test_an_upgrade_leaves_digests_as_they_were():
    """Whoever adds a field to briefs sees this fail, and names it in `LATER_FIELDS`."""
    assert brief_digest(brief(), Path("nowhere")).startswith("a3e4a277afba2856")
