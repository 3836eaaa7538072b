"""Names and seeds that depend on nothing but what they belong to.

Adding, removing or moving prompts changes no other shot's name or seed. Parts of a name are
joined so that two different shots cannot meet in one: words by "-", parts by "--", the digest of
text that a slug cannot show by "_", the values of variables by ".".
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

MAX_SLUG = 64
_CUT_SLUG = 40
_DIGEST_CHARACTERS = 10
_PLAIN = re.compile(r"[a-z0-9]+( [a-z0-9]+)*")
_OTHER = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """Readable, path-safe and different for every text.

    Plain lower-case words are shown as they are. What is longer, or has capitals, punctuation or
    other scripts, is shortened to what can be shown and ends in a digest of the whole.
    """
    if len(text) <= MAX_SLUG and _PLAIN.fullmatch(text):
        return text.replace(" ", "-")
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = _OTHER.sub("-", ascii_text).strip("-")
    if len(words) > _CUT_SLUG:
        words = words[: _CUT_SLUG + 1].rpartition("-")[0] or words[:_CUT_SLUG]
    return f"{words}_{_digest(text)[:_DIGEST_CHARACTERS]}"


def prompt_name(name: str | None, text: str, values: Iterable[str]) -> str:
    """What the shots of one prompt are called: by its own name and variables, or by its words."""
    return ".".join((name, *map(slug, values))) if name else slug(text)


def shot_name(prompt: str, shape: str, seed: int) -> str:
    """For example `a-red-ball--landscape--s7`."""
    return f"{prompt}--{shape}--s{seed}"


def variant_seed(campaign: str, prompt: str, variant: int) -> int:
    """Seed of the n-th variant (from 0) of a prompt, of 31 bits.

    The same as long as the campaign and the prompt are called the same.
    """
    return int(_digest(f"{campaign}\n{prompt}\n{variant}")[:8], 16) & 0x7FFF_FFFF


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
