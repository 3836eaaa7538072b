"""`pg_dump` and `pg_restore` on a ledger: its tables and nothing that belongs to the server."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from sqlalchemy import URL

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.engines import POSTGRESQL, display_name
from wan_pipelines.ledger.tables import Base

NOBODYS = ("--no-owner", "--no-privileges")


def dump(url: URL, target: BinaryIO) -> None:
    """Write the database as one snapshot, in PostgreSQL's own compressed format."""
    _run("pg_dump", url, [*NOBODYS, "--format=custom"], out=target)


def load(url: URL, backup: Path) -> None:
    """Put a dump in the place of the database's tables of the same names: all of it or nothing.

    Tables that the ledger has got since go first: they hang on those that are replaced.
    """
    tables = ", ".join(f'"{name}"' for name in Base.metadata.tables)
    with TemporaryFile() as script:
        script.write(f"DROP TABLE IF EXISTS {tables} CASCADE;\n".encode())
        script.flush()
        anew = ("--clean", "--if-exists", "--file=-")
        _run("pg_restore", None, [*NOBODYS, *anew, str(backup)], out=script)
        script.seek(0)
        whole = ("--single-transaction", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1")
        _run("psql", url, whole, given=script)


def _run(
    name: str,
    url: URL | None,
    options: Sequence[str],
    out: BinaryIO | None = None,
    given: BinaryIO | None = None,
) -> None:
    """The password goes by the environment: command lines are for everybody to read."""
    program = shutil.which(name)
    if program is None:
        raise LedgerError(
            f"There is no {name} here. Install PostgreSQL's client programs, of the server's "
            "version or a later one."
        )
    done = subprocess.run(
        [program, *_where(url), *options],
        check=False,
        env=os.environ | ({"PGPASSWORD": url.password} if url and url.password else {}),
        stdin=given or subprocess.DEVNULL,
        stdout=out or subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode != 0:
        said = " ".join(done.stderr.split())
        where = f"the ledger at {display_name(url)}" if url else "the backup"
        raise LedgerError(f"{name} failed on {where}: {said}")


def _where(url: URL | None) -> tuple[str, ...]:
    if url is None:
        return ()
    plain = url.set(drivername=POSTGRESQL, password=None)
    return (f"--dbname={plain.render_as_string(hide_password=False)}",)
