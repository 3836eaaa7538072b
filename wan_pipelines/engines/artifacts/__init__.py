"""Compiled transformer blocks: built once, published, and loaded by workers that they fit."""
