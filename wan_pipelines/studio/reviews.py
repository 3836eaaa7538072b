"""Prompts that screening holds until a person has looked at them, and what became of those."""

from collections.abc import Sequence
from dataclasses import dataclass

from wan_pipelines.campaigns.screening import PASS, Reviewed, Verdict, load_rules, screen
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.reviews import (
    Review,
    all_reviews,
    digest_of,
    held_shots,
    reviews_of,
)
from wan_pipelines.ledger.whose import Asked
from wan_pipelines.studio.studio import Studio
from wan_pipelines.validation import shown

ID_DIGITS = 12
HINT = "Rewrite the prompt, or ask whoever decided."


@dataclass(frozen=True, slots=True)
class HeldPrompt:
    """A text that waits for a person; `editions` (campaign/edition) have `shots` made from it."""

    tenant: str
    text: str
    reason: str
    editions: tuple[str, ...]
    shots: int

    @property
    def id(self) -> str:
        return prompt_id(self.text)


def prompt_id(text: str) -> str:
    """How people name a text."""
    return digest_of(text)[:ID_DIGITS]


def reviewer(studio: Studio, tenant: str) -> Reviewed:
    """What the people of a tenant have decided, for `screen_shots`."""

    def reviewed(texts: Sequence[str]) -> dict[str, Verdict]:
        reviews = reviews_of(studio.ledger, tenant, texts)
        return {text: _verdict(review) for text, review in reviews.items()}

    return reviewed


def held_prompts(studio: Studio, whose: Asked) -> tuple[HeldPrompt, ...]:
    """What waits for a decision, in a tenant or in all, in the order it was first launched."""
    rules = load_rules()
    found: dict[tuple[str, str], list[str]] = {}
    for shot in held_shots(studio.ledger, whose):
        for text in (shot.prompt, shot.negative_prompt):
            found.setdefault((shot.tenant, text), []).append(f"{shot.campaign}/{shot.edition}")
    held = [
        HeldPrompt(owner, text, verdict.reason, tuple(dict.fromkeys(editions)), len(editions))
        for (owner, text), editions in found.items()
        if (verdict := screen(text, rules)).outcome == "held"
    ]
    decided = {
        (owner, text)
        for owner in {prompt.tenant for prompt in held}
        for text in reviews_of(studio.ledger, owner, [p.text for p in held if p.tenant == owner])
    }
    return tuple(prompt for prompt in held if (prompt.tenant, prompt.text) not in decided)


def prompt_named(studio: Studio, name: str, whose: Asked) -> tuple[str, str]:
    """Tenant and text of a prompt that is held or was decided about, by (the beginning of) its id.

    InputError when there is none, or when `name` may mean several.
    """
    held = [(prompt.tenant, prompt.text) for prompt in held_prompts(studio, whose)]
    decided = [(review.tenant, review.text) for review in all_reviews(studio.ledger, whose)]
    known = dict.fromkeys((*held, *decided))
    meant = [(owner, text) for owner, text in known if name and digest_of(text).startswith(name)]
    if len(meant) == 1:
        return meant[0]
    problem, remedy = f"no prompt {shown(name)} is held.", "`wan prompts` lists those that are."
    if meant:
        owners = ", ".join(sorted({owner for owner, _ in meant}))
        problem = f"{shown(name)} means {len(meant)} prompts, of {owners}."
        remedy = "Give more of its id, or its --tenant."
    raise InputError(problem, where="wan prompts", remedy=remedy)


def _verdict(review: Review) -> Verdict:
    if review.decision == "released":
        return PASS
    because = f": {review.note}" if review.note else "."
    return Verdict("rejected", "review", f"{review.decided_by} rejected the prompt{because}", HINT)
