"""What all records have in common that are made from data somebody else wrote."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Immutable, and strict about names. Numbers are finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
