"""`pg_dump` and `pg_restore` on a ledger: its tables and nothing that belongs to the server."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import URL

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.engines import POSTGRESQL, display_name

NOBODYS = ("--no-owner", "--no-privileges")


def dump(url: URL, target: BinaryIO) -> None:
    """Write the database as one snapshot, in PostgreSQL's own compressed format."""
    _run("pg_dump", url, [*NOBODYS, "--format=custom"], out=target)


def load(url: URL, backup: Path) -> None:
    """Put a dump in the place of the database's tables of the same names: all of it or nothing."""
    anew = ("--clean", "--if-exists", "--single-transaction", "--exit-on-error")
    _run("pg_restore", url, [*NOBODYS, *anew, str(backup)])


def _run(name: str, url: URL, options: Sequence[str], out: BinaryIO | None = None) -> None:
    """The password goes by the environment: command lines are for everybody to read."""
    program = shutil.which(name)
    if program is None:
        raise LedgerError(
            f"There is no {name} here. Install PostgreSQL's client programs, of the server's "
            "version or a later one."
        )
    plain = url.set(drivername=POSTGRESQL, password=None)
    done = subprocess.run(
        [program, f"--dbname={plain.render_as_string(hide_password=False)}", *options],
        check=False,
        env={**os.environ, "PGPASSWORD": url.password or os.environ.get("PGPASSWORD", "")},
        stdin=subprocess.DEVNULL,
        stdout=out or subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode != 0:
        said = " ".join(done.stderr.split())
        raise LedgerError(f"{name} failed on the ledger at {display_name(url)}: {said}")
