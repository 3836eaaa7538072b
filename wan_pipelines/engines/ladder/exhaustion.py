"""Which errors mean that memory, the device or time gave out, and at which stage of a render."""

import errno

from wan_pipelines.errors import Exhausted, ExhaustionKind

OF_MEMORY = (
    "can't allocate memory",
    "cannot allocate memory",
    "defaultcpuallocator",
    "not enough memory",
    "out of memory",
    "bad_alloc",
    "could not create a memory object",
    "status_alloc_failed",
    "can't start new thread",
)
"""In messages of torch's allocators, of CUDA's libraries, oneDNN, C++ and the system."""
LOST_ERRORS = ("returned NULL without setting an exception", "error return without exception set")
"""What CPython makes of a call that found no memory for its own frame, nor for an error."""
OF_DEVICE = ("cuda error", "cublas_status_", "cudnn_status_", "device-side assert")
"""After these the process can compute nothing more on its GPU."""


def exhaustion_of(error: BaseException) -> ExhaustionKind | None:
    """What gave out; None for errors that another attempt would only repeat.

    Looks at what caused the error, too: libraries wrap what they do not expect.
    """
    seen: BaseException | None = error
    while seen is not None:
        kind = _kind(seen)
        if kind:
            return kind
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return None


def _kind(error: BaseException) -> ExhaustionKind | None:
    if isinstance(error, Exhausted):
        return error.kind
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, OSError):
        return "memory" if error.errno == errno.ENOMEM else None
    if isinstance(error, SystemError):
        return "memory" if any(words in str(error) for words in LOST_ERRORS) else None
    name = type(error).__name__
    if isinstance(error, RuntimeError) or name == "SafetensorError":
        return _told(str(error).lower(), name)
    return None


def _told(message: str, name: str) -> ExhaustionKind | None:
    if name == "OutOfMemoryError" or any(words in message for words in OF_MEMORY):
        return "memory"
    if name == "AcceleratorError" or any(words in message for words in OF_DEVICE):
        return "device"
    return None
