"""A shard rendered in fresh processes, one after the other, that this one looks after."""
