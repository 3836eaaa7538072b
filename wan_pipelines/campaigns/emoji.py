"""Runs of emoji, counted as people see them.

Building blocks from Unicode Technical Standard 51, section 1.4.9: flags are two regional
indicators, keycaps a digit with an enclosing cap, other emoji a pictograph with its modifiers,
tags and joined pictographs. The signs of copyright, registration and trademark are pictographs to
Unicode, and text to everybody else; so is what a text presentation selector follows.
"""

import regex

_SIGNS = "\u00a9\u00ae\u2122"
_PICTOGRAPH = rf"(?![{_SIGNS}])\p{{Extended_Pictographic}}(?!\uFE0E)"
_MODIFIERS = r"\p{Emoji_Modifier}?+\uFE0F?+\u20E3?+[\U000E0020-\U000E007F]*+"
_JOINED = rf"{_PICTOGRAPH}{_MODIFIERS}(?:\u200D{_PICTOGRAPH}{_MODIFIERS})*+"
_FLAG = r"\p{Regional_Indicator}{2}"
_KEYCAP = r"[0-9#*]\uFE0F?\u20E3"
_EMOJI = rf"{_FLAG}|{_KEYCAP}|{_JOINED}|\p{{Emoji_Modifier}}\uFE0F?+"
_EMOJI_OR_SPACE = regex.compile(rf"(?P<emoji>{_EMOJI})|\s++")


def longest_emoji_run(text: str) -> int:
    """How many emoji follow each other at most, with or without spaces between them."""
    if text.isascii():
        return 0
    longest = run = end = 0
    for match in _EMOJI_OR_SPACE.finditer(text):
        if match.start() != end:
            run = 0
        run += match["emoji"] is not None
        longest = max(longest, run)
        end = match.end()
    return longest
