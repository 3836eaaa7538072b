"""Model weights: what belongs to them, where they come from, and whether they are whole."""
