from dataclasses import replace

import pytest

from tests.pages.samples import edition, ready, sheet, stopped
from wan_pipelines.errors import InputError
from wan_pipelines.pages.details import edition_details


def test_addresses_are_whole_again_when_joined_with_their_base() -> None:
    view = sheet()
    for shot, record in zip(view.shots, edition_details(view)["shots"], strict=True):
        files = [record["base"] + path for _, path, _ in record.get("files", ())]
        assert files == [rendition.href for rendition in shot.renditions]
        for name, href in (("poster", shot.poster_href), ("manifest", shot.manifest_href)):
            assert (record["base"] + record[name] if name in record else "") == href


def test_a_negative_prompt_is_written_once_for_all_shots() -> None:
    view = edition((ready(0), ready(1), replace(ready(2), negative_prompt="fog")))
    details = edition_details(view)
    assert details["negatives"] == ["blurry, static, low quality", "fog"]
    assert [shot["negative"] for shot in details["shots"]] == [0, 0, 1]


def test_facts_stand_under_their_labels_and_only_where_there_are_any() -> None:
    details = edition_details(edition((ready(0), stopped("b", attempts=3))))
    rendered, failed = (
        dict(zip(details["labels"], shot["facts"], strict=True)) for shot in details["shots"]
    )
    assert rendered["Shape"] == "96 × 64, 17 frames, 8 fps, 2.12 s"
    assert (rendered["Cost"], rendered["GPU time"]) == ("$0.000061", "0.90 s")
    assert (failed["Cost"], failed["Attempts"], failed["Seed"]) == ("", "3", "7")


def test_an_address_that_could_run_code_never_reaches_the_dialog() -> None:
    view = edition((replace(ready(0), manifest_href="javascript:alert(1)"),))
    with pytest.raises(InputError, match="javascript"):
        edition_details(view)
