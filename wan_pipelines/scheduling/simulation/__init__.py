"""A cluster as discrete events, in which the very policies decide that decide in front of Dagster.

What it takes from published figures are render times, start times and prices; how tenants come, and
how often machines go, are assumptions that a scenario may change.
"""
