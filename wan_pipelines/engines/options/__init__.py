"""What a tier may set beside its steps: caches, attention, precision, placement, tiles."""
