"""A database server that is away for a moment: restarted, failed over, full of connections.

Connections are waited for where they are made, which is always safe. A connection that breaks
before its transaction was committed has changed nothing: functions that are one transaction are
done again. One that breaks during the commit may have changed everything, and is an error.
"""

import logging
from collections.abc import Callable
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from sqlalchemy import Engine, event

from wan_pipelines.errors import LedgerError

if TYPE_CHECKING:
    from tenacity import Retrying

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

ATTEMPTS = 4
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 2.0
FOR_GOOD = (
    "authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "permission denied",
    "invalid connection option",
    "unsupported",
)
"""What a server says to somebody who need not ask again."""


class ConnectionBroke(LedgerError):
    """The server went away in mid-transaction, which it has rolled back or will."""


def repeated(function: Callable[P, T]) -> Callable[P, T]:
    """Do a function that is one transaction again when its connection broke before the commit."""

    @wraps(function)
    def until_done(*args: P.args, **kwargs: P.kwargs) -> T:
        return _some_attempts()(function, *args, **kwargs)

    return until_done


@cache
def _some_attempts() -> "Retrying":
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

    broke = retry_if_exception_type(ConnectionBroke)
    return Retrying(retry=broke, stop=stop_after_attempt(ATTEMPTS), reraise=True)


def connect_patiently(engine: Engine, name: str, patience_seconds: float) -> None:
    """Let `engine` try so long to connect to a server that does not answer, or has no room."""

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _record: Any, args: Any, options: Any) -> Any:
        from tenacity import (
            Retrying,
            retry_if_exception,
            stop_after_delay,
            wait_random_exponential,
        )

        def may_pass(error: BaseException) -> bool:
            said = str(error).lower()
            is_outage = isinstance(error, dialect.dbapi.OperationalError)
            return is_outage and not any(mark in said for mark in FOR_GOOD)

        patiently = Retrying(
            retry=retry_if_exception(may_pass),
            wait=wait_random_exponential(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS),
            stop=stop_after_delay(patience_seconds),
            after=lambda state: (
                _tell(name, patience_seconds) if state.attempt_number == 1 else None
            ),
            reraise=True,
        )
        return patiently(dialect.connect, *args, **options)


def _tell(name: str, patience_seconds: float) -> None:
    if patience_seconds:
        log.warning(
            "The ledger at %s does not answer; it is tried again for %g s.", name, patience_seconds
        )
