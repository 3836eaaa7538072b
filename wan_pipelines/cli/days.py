"""Days as options of commands."""

from datetime import date
from typing import Any

import typer

from wan_pipelines.clocks import parsed_day


def day_option(*names: str, about: str) -> Any:
    """An option that takes a day such as 2026-11-01."""
    return typer.Option(*names, parser=_day, metavar="DAY", help=about)


def _day(words: str) -> date:
    try:
        return parsed_day(words)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.") from error
