from tests.pages.samples import ready, stopped, stopped_shots
from wan_pipelines.pages.troubles import group_troubles


def test_shots_stopped_by_the_same_cause_are_told_together() -> None:
    troubles = group_troubles(stopped_shots())
    assert [(each.state, len(each.shots)) for each in troubles] == [
        ("failed", 1),
        ("refused", 2),
        ("rejected", 1),
        ("held", 1),
    ]


def test_what_needs_nobody_is_no_trouble() -> None:
    shots = [ready(0), stopped("patient", state="waiting"), stopped("gone", state="withdrawn")]
    assert group_troubles(shots) == ()


def test_a_failure_says_where_why_and_what_to_do() -> None:
    (trouble,) = group_troubles([stopped("a", error_text="Out of memory.", error_stage="decode")])
    assert (trouble.stage, trouble.reason) == ("decode", "Out of memory.")
    assert "Run the edition again" in trouble.remedy


def test_the_hint_of_a_shot_is_its_remedy() -> None:
    (trouble,) = group_troubles(
        [stopped("a", state="rejected", reason="Emoji.", hint="Use words.")]
    )
    assert (trouble.reason, trouble.remedy) == ("Emoji.", "Use words.")


def test_the_widest_cause_of_a_state_comes_first() -> None:
    shots = [stopped("a", error_text="rare"), *(stopped(n, error_text="often") for n in "bc")]
    assert [trouble.reason for trouble in group_troubles(shots)] == ["often", "rare"]


def test_the_same_error_in_two_stages_has_two_causes() -> None:
    stages = ("text", "decode")
    shots = [stopped(stage, error_text="No memory.", error_stage=stage) for stage in stages]
    assert [trouble.stage for trouble in group_troubles(shots)] == ["text", "decode"]
