"""Everything that can go wrong, in one tree.

    WanError
    ├── InputError             a brief, a release, a prompt or an option is not acceptable
    ├── WeightsError           weights are missing, damaged or foreign
    │   └── FetchStopped           somebody told a transfer of weights to stop
    ├── EngineError            an engine cannot be prepared or does not run
    │   └── FingerprintMismatch    this machine is not what the release needs
    ├── RenderError            one shot could not be rendered
    │   └── Exhausted              memory, the GPU or time gave out on it
    ├── WorkerDied             worker processes ended before their work did
    ├── EncodeError            frames could not be encoded, or a file does not probe well
    ├── StorageError           the object store cannot be read or written
    └── LedgerError            the ledger cannot be reached, migrated or written
        ├── LeaseLost              another worker took the shot over
        ├── QuotaExceeded          nothing is left of a limit
        └── NotAdmitted            the edition does not (or no longer) ask for the shot

The message is the whole story: what happened, where, and what to do about it.
"""

from typing import Literal

ExhaustionKind = Literal["memory", "device", "time"]


class WanError(Exception):
    """Base of all errors that are meant to be read by a person."""


class InputError(WanError):
    """Input that cannot be accepted: `what` is wrong, `where` it stands, the `remedy`."""

    def __init__(self, what: str, *, where: str, remedy: str) -> None:
        told = f"{what} {remedy}".strip()
        super().__init__(f"{where}: {told}" if where else told)
        self.what = what
        self.where = where
        self.remedy = remedy


class WeightsError(WanError):
    """Weights are missing, damaged or not what the release pins."""


class FetchStopped(WeightsError):
    """A transfer of weights was told to stop; what has arrived is kept."""


class EngineError(WanError):
    """An engine cannot be prepared or does not run."""


class FingerprintMismatch(EngineError):
    """The runtime differs from what the release needs; names each difference."""


class RenderError(WanError):
    """One shot failed on a working engine; `stage` says where."""

    def __init__(self, message: str, *, stage: str) -> None:
        super().__init__(message)
        self.stage = stage


class Exhausted(RenderError):
    """Memory, the device or time gave out; what rendered is of no further use."""

    def __init__(self, message: str, *, stage: str, kind: ExhaustionKind) -> None:
        super().__init__(message, stage=stage)
        self.kind: ExhaustionKind = kind


class WorkerDied(WanError):
    """Worker processes were killed, or crashed, before they had rendered their shots."""


class EncodeError(WanError):
    """Frames could not be encoded, or the result is not what was asked for."""


class StorageError(WanError):
    """The object store cannot be read or written."""


class LedgerError(WanError):
    """The ledger cannot be reached, migrated or written."""


class LeaseLost(LedgerError):
    """The lease on a shot has passed to somebody else."""


class QuotaExceeded(LedgerError):
    """Nothing is left of a limit; the message says which, and when it resets."""


class NotAdmitted(LedgerError):
    """The edition does not, or no longer, want the shot rendered; the message says why."""
