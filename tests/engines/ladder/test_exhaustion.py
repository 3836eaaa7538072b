"""Errors that mean that something gave out, as they really come, and others that do not."""

import errno

import numpy as np
import pytest
import torch

from wan_pipelines.engines.ladder.exhaustion import exhaustion_of
from wan_pipelines.errors import EngineError, Exhausted, RenderError

HUGE = 1 << 50


def raised_by_torch() -> BaseException:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(HUGE, dtype=torch.uint8)
    return caught.value


def raised_by_numpy() -> BaseException:
    with pytest.raises(MemoryError) as caught:
        np.empty(HUGE, dtype=np.uint8)
    return caught.value


def wrapped(cause: BaseException) -> BaseException:
    error = EngineError("It does not load.")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (raised_by_torch(), "memory"),
        (raised_by_numpy(), "memory"),
        (MemoryError(), "memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (RuntimeError("std::bad_alloc"), "memory"),
        (torch.OutOfMemoryError("Tried to allocate 20.00 MiB."), "memory"),
        (torch.AcceleratorError("CUDA error: out of memory"), "memory"),
        (torch.AcceleratorError("CUDA error: an illegal memory access"), "device"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling it"), "memory"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"), "device"),
        (SystemError("<function f at 0x7f> returned NULL without setting an exception"), "memory"),
        (SystemError("error return without exception set"), "memory"),
        (wrapped(MemoryError()), "memory"),
        (Exhausted("It took too long.", stage="denoise_low", kind="time"), "time"),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), None),
        (RenderError("The server ran out of memory.", stage="denoise"), None),
        (OSError(errno.ENOSPC, "No space left on device"), None),
        (ValueError("out of memory"), None),
        (SystemError("bad argument to internal function"), None),
    ],
    ids=lambda value: f"{type(value).__name__} {value}"[:50],
)
def test_what_gave_out(error: BaseException, kind: str | None) -> None:
    assert exhaustion_of(error) == kind


def test_an_error_that_hides_its_context_is_taken_at_its_word() -> None:
    error = ValueError("The prompt is empty.")
    error.__context__ = MemoryError()
    assert exhaustion_of(error) == "memory"
    error.__cause__ = None  # as `raise error from None` does
    assert exhaustion_of(error) is None
