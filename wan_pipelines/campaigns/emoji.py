"""Runs of emoji, counted as people see them.

Building blocks from Unicode Technical Standard 51, section 1.4.9: flags are two regional
indicators, keycaps a digit with an enclosing cap, other emoji a pictograph with its modifiers,
tags and joined pictographs. The signs of copyright, registration and trademark are pictographs to
Unicode, and text to everybody else; so is what a text presentation selector follows.
"""

from functools import cache

import regex

_SIGNS = "\u00a9\u00ae\u2122"
_PICTOGRAPH = rf"(?:(?![{_SIGNS}])\p{{Extended_Pictographic}}(?!\uFE0E))"
_MODIFIERS = r"\p{Emoji_Modifier}?\uFE0F?\u20E3?[\U000E0020-\U000E007F]*+"
_JOINED = rf"{_PICTOGRAPH}{_MODIFIERS}(?:\u200D{_PICTOGRAPH}{_MODIFIERS})*+"
_FLAG = r"\p{Regional_Indicator}{2}"
_KEYCAP = r"[0-9#*]\uFE0F?\u20E3"
_EMOJI = rf"(?:{_FLAG}|{_KEYCAP}|{_JOINED}|\p{{Emoji_Modifier}}\uFE0F?)"


@cache
def emoji_run(at_least: int) -> regex.Pattern[str]:
    """Matches where `at_least` emoji follow each other, with or without spaces between them."""
    return regex.compile(rf"(?:{_EMOJI}\s*+){{{at_least}}}")
