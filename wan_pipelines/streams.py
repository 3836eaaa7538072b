"""Where the standard streams of this process and its children go."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STDERR = 2


@contextmanager
def stderr_to(log: Path) -> Iterator[None]:
    """Standard error of this process and its children goes to a file: all that Dagster says.

    It is appended to, with everything that the interpreter and libraries print on their own.
    """
    sys.stderr.flush()
    kept = os.dup(STDERR)
    with log.open("ab") as file:
        os.dup2(file.fileno(), STDERR)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, STDERR)
        os.close(kept)
