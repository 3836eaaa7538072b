import time
from pathlib import Path

import pytest

from tests.campaigns.briefs import RELEASE, brief
from wan_pipelines.campaigns.expand import expand
from wan_pipelines.campaigns.screening import PASS, Rules, load_rules, screen, screen_shots
from wan_pipelines.errors import InputError


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


@pytest.mark.parametrize(
    "prompt",
    [
        "a red ball moving left to right on a black background",
        "ein grüner Ball, 红色的球, كرة حمراء, एक लाल गेंद",
        "\U0001f600" * 4,
        "™" * 20 + "1234567890",
        "((short [and {nested}]))",
        "x" * 512,
    ],
)
def test_ordinary_prompts_pass(prompt: str, rules: Rules) -> None:
    assert screen(prompt, rules) == PASS


@pytest.mark.parametrize(
    ("prompt", "outcome", "rule"),
    [
        ("x" * 513, "rejected", "too-long"),
        ("(flat) [brackets] " + "x" * 513, "rejected", "too-long"),
        ("x" * 500 + " ((nested)) ", "pass", ""),
        ("x" * 513 + "((nested))", "held", "long-nested-brackets"),
        ("x" * 513 + "(a [b] c)", "held", "long-nested-brackets"),
        ("x" * 513 + "（全【角】）", "held", "long-nested-brackets"),
        ("x" * 513 + "([never closed", "held", "long-nested-brackets"),
        ("x" * 513 + ")) (a) ((", "held", "long-nested-brackets"),
        ("x" * 513 + ")) (a)", "rejected", "too-long"),
        ("fire \U0001f525\U0001f525\U0001f525\U0001f525\U0001f525", "rejected", "emoji-run"),
        ("x" * 513 + "((a))" + "\U0001f525" * 5, "rejected", "emoji-run"),
        ("a\nb", "rejected", "control-characters"),
        ("a\tb", "rejected", "control-characters"),
        ("a\x1b[31mb", "rejected", "control-characters"),
        ("a\x85b", "rejected", "control-characters"),
        ("a\0b", "rejected", "control-characters"),
        ("a\u2028b", "rejected", "control-characters"),
        ("a\u202eb", "rejected", "control-characters"),
        ("a\ud800b", "rejected", "control-characters"),
    ],
)
def test_rules_reject_or_hold(prompt: str, outcome: str, rule: str, rules: Rules) -> None:
    verdict = screen(prompt, rules)
    assert (verdict.outcome, verdict.rule) == (outcome, rule)
    if outcome != "pass":
        assert verdict.reason.endswith(".")
        assert verdict.hint.endswith(".")


def test_reason_names_the_number_of_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(
        "rules:\n- {name: short, kind: length, longer_than: 3, outcome: held,\n"
        "   reason: 'Over {limit}.', hint: 'At most {limit}.'}\n"
    )
    verdict = screen("four", load_rules(path))
    assert (verdict.outcome, verdict.reason, verdict.hint) == ("held", "Over 3.", "At most 3.")


def test_joined_emoji_are_not_control_characters(rules: Rules) -> None:
    assert screen("\U0001f468\u200d\U0001f469\u200d\U0001f467 at home", rules) == PASS


def test_negative_prompts_are_screened_as_well(tmp_path: Path, rules: Rules) -> None:
    prompts = ["a ball", {"prompt": "a box", "negative_prompt": "x" * 600}, "\U0001f525" * 5]
    shots = expand(brief(prompts=prompts, seeds=[1, 2]), RELEASE, tmp_path)
    verdicts = screen_shots(shots, rules)
    assert [v.rule for v in verdicts] == ["", "", "too-long", "too-long", "emoji-run", "emoji-run"]


COMMON = "name: r, outcome: held, reason: a, hint: b"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (f"{COMMON}, kind: length", "`rules[0].longer_than` is missing. Add it."),
        (f"{COMMON}, kind: lenght", "Input tag 'lenght' found using 'kind' does not match any"),
        (f"{COMMON}, kind: length, longer_then: 3", "Did you mean 'longer_than'?"),
        (f"{COMMON}, kind: emoji_run, at_least: 0", "`rules[0].at_least` is 0."),
        (f"{COMMON}, kind: characters, pattern: '['", "This is not a regular expression: "),
        (f"{COMMON}x, kind: length, longer_than: 3, reason: c", "The key 'reason' stands here and"),
        (
            "name: r, outcome: hold, reason: a, hint: b, kind: length, longer_than: 3",
            "`rules[0].outcome` is 'hold'. Input should be 'rejected' or 'held'. Did you mean "
            "'held'?",
        ),
    ],
)
def test_rules_are_checked_when_they_are_read(tmp_path: Path, rule: str, said: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(f"rules:\n- {{{rule}}}\n")
    with pytest.raises(InputError) as caught:
        load_rules(path)
    assert caught.value.where == f"{path}:2"
    assert said in str(caught.value)


def test_pattern_that_never_ends_is_named_instead_of_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(f"rules:\n- {{{COMMON}, kind: characters, pattern: '(a|a|aa)+$'}}\n")
    started = time.process_time()
    with pytest.raises(InputError, match=r"screening rule r: The pattern '\(a\|a\|aa\)\+\$' takes"):
        screen("a" * 40 + "b", load_rules(path))
    assert time.process_time() - started < 4


def test_ten_thousand_prompts_are_screened_in_under_a_second(rules: Rules) -> None:
    prompts = [f"a red ball number {n} moving left to right on a black" for n in range(10_000)]
    started = time.process_time()
    assert {screen(prompt, rules) for prompt in prompts} == {PASS}
    assert time.process_time() - started < 1
