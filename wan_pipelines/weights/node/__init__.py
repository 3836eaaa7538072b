"""Weights on a node: fetched from a mirror once, checked, shared by its processes, evicted."""
