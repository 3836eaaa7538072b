"""Weights that these tests share."""

from tests.support.tiny_pipeline import tiny_folder

__all__ = ["tiny_folder"]
