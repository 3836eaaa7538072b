"""What to say to somebody who wrote a name that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 12


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """A sentence with the nearest of the `known` names: the only one that begins so, or one that
    is spelt alike; or with all of them if none is near.
    """
    names = sorted(known)
    begun = [name for name in names if word and name.startswith(str(word))]
    near = begun if len(begun) == 1 else get_close_matches(str(word), names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean '{near[0]}'?"
    if not names:
        return "None is known here."
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"Known: {', '.join(names[:_SHOWN])}{more}."
