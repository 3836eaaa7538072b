"""Sizes in bytes."""

GB = 1_000_000_000
GIB = 1 << 30
