"""Text as people type it: which strings a brief accepts, and how prompts are normalised."""

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
SLUG_CHARACTERS = 64
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"

PROMPT_FILES = (".csv", ".jsonl")

# Neither files nor databases can hold these: end of text, and halves of surrogate pairs.
_NOT_TEXT = re.compile("[\\0\\ud800-\\udfff]")
_CONTROL = re.compile("[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")
_RELATIVE_FILE = re.compile(r"\w[\w .-]*(/\w[\w .-]*)*")
_TEAM_OR_EMAIL = re.compile(r"team:\S+|[^@\s]+@[^@\s]+\.[^@\s]+")


def normalised(text: str) -> str:
    """The one form of a prompt that is screened, rendered and digested: NFC, no outer space."""
    return unicodedata.normalize("NFC", text).strip()


def is_slug(text: str) -> bool:
    """Whether it may name a campaign or a tenant, and so be a part of a path."""
    return len(text) <= SLUG_CHARACTERS and re.fullmatch(SLUG, text) is not None


def _without(pattern: re.Pattern[str], text: str) -> str:
    if bad := pattern.search(text):
        raise ValueError(f"The character U+{ord(bad[0]):04X} is not text. Remove it")
    return text


def _storable(text: str) -> str:
    return _without(_NOT_TEXT, text)


def not_blank(text: str) -> str:
    """The text as it is; ValueError if nothing is left of it without space."""
    if not normalised(text):
        raise ValueError("There is nothing in it. Write what is to be seen")
    return text


def without_controls(text: str) -> str:
    """The text as it is; ValueError for characters that control something or are no text."""
    return _without(_CONTROL, text)


def _number_as_text(value: object) -> object:
    return str(value) if type(value) is int else value


def _beside_the_brief(file: str) -> str:
    if PurePosixPath(file).suffix not in PROMPT_FILES:
        raise ValueError(f"Name a file that ends in {' or '.join(PROMPT_FILES)}")
    if not _RELATIVE_FILE.fullmatch(file):
        raise ValueError(
            "Name a file in the folder of the brief, in letters, digits, spaces, - and _; "
            "no '..', no leading '/'"
        )
    return file


def _team_or_email(owner: str) -> str:
    if not _TEAM_OR_EMAIL.fullmatch(owner):
        raise ValueError("An owner is a team (team:films) or an e-mail address")
    return owner


Slug = Annotated[str, Field(pattern=SLUG, max_length=SLUG_CHARACTERS)]
Text = Annotated[str, AfterValidator(_storable)]
PromptText = Annotated[Text, AfterValidator(not_blank)]
VariableName = Annotated[str, Field(pattern=VARIABLE)]
VariableValue = Annotated[Text, BeforeValidator(_number_as_text, json_schema_input_type=str | int)]
PromptsFile = Annotated[str, AfterValidator(_beside_the_brief)]
Owner = Annotated[str, AfterValidator(_team_or_email)]
