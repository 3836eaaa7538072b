"""Values that YAML does not hold: the process environment does."""

import os

from pydantic import Field

from wan_pipelines.errors import InputError
from wan_pipelines.records import Record


class FromEnvironment(Record):
    """A value that only the process environment knows, such as a password."""

    env: str = Field(description="Name of the environment variable.", examples=["WAN_LEDGER_URL"])

    def read(self) -> str:
        value = os.environ.get(self.env)
        if not value:
            raise InputError(
                f"the environment variable {self.env} is not set.",
                where="environment",
                remedy=f"Set {self.env} where this process starts.",
            )
        return value


Secret = str | FromEnvironment


def resolve(value: Secret) -> str:
    """The text of a setting that may stand in the process environment."""
    return value if isinstance(value, str) else value.read()


def for_dagster(value: Secret) -> str | dict[str, str]:
    """As Dagster's own YAML says it: a secret is named, and not written down."""
    return value if isinstance(value, str) else {"env": value.env}
