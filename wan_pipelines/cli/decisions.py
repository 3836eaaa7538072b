"""What commands share that decide about money: who, why, when, and trying it first."""

import getpass
from collections.abc import Callable
from typing import Annotated, TypeVar

import typer

from wan_pipelines.errors import InputError

Why = Annotated[str, typer.Option("--reason", help="For whoever looks at it later.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")]

T = TypeVar("T")


def whoever(remedy: str = "Set the environment variable LOGNAME to your name.") -> str:
    """Who decides: the user of this process; InputError where the system does not know it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # a pod may run as a number that nobody has a name for
        raise InputError(
            "the system does not know who decides.",
            where="wan",
            remedy=remedy,
        ) from error


def given(reason: str) -> str:
    """The reason; InputError if it says nothing."""
    if not reason.strip():
        raise InputError("It is empty.", where="--reason", remedy="Say why, in a few words.")
    return reason.strip()


def understood(words: str, parse: Callable[[str], T], where: str) -> T:
    """What `parse` makes of an argument; its ValueError becomes an InputError."""
    try:
        return parse(words)
    except ValueError as error:
        raise InputError(f"{str(error).rstrip('.')}.", where=where, remedy="") from error
