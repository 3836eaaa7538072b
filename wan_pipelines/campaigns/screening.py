"""Screening of prompts, before a GPU is touched: the rules are data, the default ones beside this.

A rule that applies rejects the prompt or holds it for a person to look at; the first one decides.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import regex
from pydantic import AfterValidator, Field

from wan_pipelines.campaigns.emoji import longest_emoji_run
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.campaigns.texts import Slug
from wan_pipelines.errors import InputError
from wan_pipelines.records import Record
from wan_pipelines.validation import validated
from wan_pipelines.yaml_source import load_yaml

DEFAULT_RULES = Path(__file__).with_name("screening.yaml")
# A pattern that somebody wrote must not stop everybody's admission.
PATTERN_SECONDS = 0.5

_OPENING = "([{\uff08\uff3b\uff5b\u3010"
_CLOSING = ")]}\uff09\uff3d\uff5d\u3011"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a prompt; `rule`, `reason` and `hint` are empty for one that passes."""

    outcome: Literal["pass", "rejected", "held"]
    rule: str = ""
    reason: str = ""
    hint: str = ""


PASS = Verdict("pass")
Reviewed = Callable[[Sequence[str]], Mapping[str, Verdict]]


class _Rule(Record):
    name: Slug = Field(description="Name of the rule, as it is reported.")
    outcome: Literal["rejected", "held"] = Field(description="What becomes of the prompt.")
    reason: str = Field(min_length=1, description="Why; {limit} is the rule's number.")
    hint: str = Field(min_length=1, description="What to do about it.")


class LengthRule(_Rule):
    """Prompts of more than so many characters."""

    kind: Literal["length"]
    longer_than: int = Field(ge=0, description="Characters (code points) that are allowed.")

    @property
    def limit(self) -> int:
        return self.longer_than

    def applies(self, text: str) -> bool:
        return len(text) > self.longer_than


def _compilable(pattern: str) -> str:
    try:
        regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"This is not a regular expression: {error}") from error
    return pattern


class CharactersRule(_Rule):
    """Prompts in which a regular expression is found."""

    kind: Literal["characters"]
    pattern: Annotated[str, AfterValidator(_compilable)] = Field(
        description="Regular expression with Unicode properties, in the syntax of `regex`."
    )

    @property
    def limit(self) -> int:
        return 0

    def applies(self, text: str) -> bool:
        try:
            return regex.search(self.pattern, text, timeout=PATTERN_SECONDS) is not None
        except TimeoutError as error:
            raise InputError(
                f"The pattern {self.pattern!r} takes more than {PATTERN_SECONDS:g} s.",
                where=f"screening rule {self.name}",
                remedy="Write it without nested repetitions, or with possessive ones (*+).",
            ) from error


class EmojiRule(_Rule):
    """Prompts with so many emoji in a row."""

    kind: Literal["emoji_run"]
    at_least: int = Field(ge=1, le=1000, description="Emoji in a row that are too many.")

    @property
    def limit(self) -> int:
        return self.at_least

    def applies(self, text: str) -> bool:
        return longest_emoji_run(text) >= self.at_least


class BracketsRule(_Rule):
    """Long prompts with brackets inside brackets."""

    kind: Literal["nested_brackets"]
    depth: int = Field(ge=1, description="Brackets open at the same time that are too many.")
    longer_than: int = Field(ge=0, description="Shorter prompts may nest as they like.")

    @property
    def limit(self) -> int:
        return self.longer_than

    def applies(self, text: str) -> bool:
        return len(text) > self.longer_than and _bracket_depth(text) >= self.depth


Rule = Annotated[
    LengthRule | CharactersRule | EmojiRule | BracketsRule, Field(discriminator="kind")
]


class Rules(Record):
    """The rules of a deployment, in the order they are tried."""

    rules: tuple[Rule, ...] = Field(description="The first rule that applies decides.")


def load_rules(path: Path = DEFAULT_RULES) -> Rules:
    """Rules of a YAML file; InputError names file, line, field, value and remedy."""
    source = load_yaml(path)
    return validated(Rules, source.data, source.where)


def screen(prompt: str, rules: Rules) -> Verdict:
    """The verdict on one text."""
    for rule in rules.rules:
        if rule.applies(prompt):
            limit = str(rule.limit)
            reason, hint = (text.replace("{limit}", limit) for text in (rule.reason, rule.hint))
            return Verdict(rule.outcome, rule.name, reason, hint)
    return PASS


def screen_shots(
    shots: Sequence[Shot], rules: Rules, reviewed: Reviewed = lambda _: {}
) -> tuple[Verdict, ...]:
    """The verdict on each shot: on its prompt and, if that passes, on its negative prompt.

    What the rules hold, `reviewed` may know better: it gives the verdicts of people on texts.
    """
    texts = {text for shot in shots for text in _texts(shot)}
    verdicts = {text: screen(text, rules) for text in texts}
    verdicts |= reviewed([text for text, verdict in verdicts.items() if verdict.outcome == "held"])
    return tuple(_first_objection([verdicts[text] for text in _texts(shot)]) for shot in shots)


def _texts(shot: Shot) -> tuple[str, str]:
    return shot.request.prompt, shot.request.negative_prompt


def _first_objection(verdicts: Sequence[Verdict]) -> Verdict:
    return next((verdict for verdict in verdicts if verdict.outcome != "pass"), PASS)


def _bracket_depth(text: str) -> int:
    """How many brackets are open at the same time, at most."""
    depth = deepest = 0
    for character in text:
        if character in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif character in _CLOSING:
            depth = max(0, depth - 1)
    return deepest
