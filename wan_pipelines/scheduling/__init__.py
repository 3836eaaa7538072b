"""Whose shard begins next, and on which GPU class: decisions about records, nothing else.

The same code decides in front of Dagster's queue and in the simulator that its figures come from.
Times are seconds since 1970, work is seconds on a GPU class.
"""
