"""What to say to somebody who wrote a name that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 12


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """A sentence with the nearest of the `known` names, or with all of them if none is near."""
    names = sorted(known)
    if near := get_close_matches(str(word), names, n=1, cutoff=0.6):
        return f"Did you mean '{near[0]}'?"
    if not names:
        return "None is known here."
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"Known: {', '.join(names[:_SHOWN])}{more}."
