"""Campaigns of AI videos as one scheduled, lineage-tracked Dagster asset graph."""

__version__ = "0.1.0"
