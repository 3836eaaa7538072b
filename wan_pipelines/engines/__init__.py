"""Releases and tiers, and what turns them into frames on this machine."""
