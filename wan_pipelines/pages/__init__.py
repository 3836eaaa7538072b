"""Static pages of an edition and of all editions: what was rendered, what it cost, what failed."""
