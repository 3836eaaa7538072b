"""Floating numbers as bfloat16, rounded to the nearest, ties to even, as torch does it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

NUMPY_TYPES: Mapping[str, str] = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
"""Types that can be rounded."""
QUIET_NAN = 0x7FC0


def to_bfloat16(data: bytes | memoryview, dtype: str) -> "np.ndarray[Any, np.dtype[np.uint16]]":
    """Bit patterns of the numbers in `data`, whose type is one of NUMPY_TYPES.

    A bfloat16 is the upper half of a float32: adding half of the lower half's range, less one
    where the upper half is even, and cutting rounds it.
    """
    import numpy as np

    numbers = np.frombuffer(data, NUMPY_TYPES[dtype]).astype("<f4", copy=False)
    bits = numbers.view("<u4")
    rounded = bits + (((bits >> 16) & 1) + np.uint32(0x7FFF))
    upper = (rounded >> 16).astype("<u2")
    upper[np.isnan(numbers)] = QUIET_NAN
    return upper
