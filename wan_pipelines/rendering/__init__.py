"""The warm loop: a shard of shots becomes takes, each paid second accounted for."""
