"""Templates of prompts: `{name}` stands for the values of a variable; other braces for themselves.

Values are put in once: braces inside a value stay what they are.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def variables_in(template: str) -> tuple[str, ...]:
    """Names of the variables of a template, each once, in the order they appear."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(template)))


def combinations(
    names: Sequence[str], values: Mapping[str, Sequence[str]]
) -> Iterator[dict[str, str]]:
    """Every choice of one value for each name; the last name changes fastest."""
    for choice in itertools.product(*(values[name] for name in names)):
        yield dict(zip(names, choice, strict=True))


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with each `{name}` replaced by its value."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)
