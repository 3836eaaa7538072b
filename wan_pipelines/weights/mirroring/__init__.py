"""Weights on their way into a store: from a folder or a hub, converted, cut, described."""
