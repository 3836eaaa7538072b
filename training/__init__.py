"""How the shipped `wan-tiny` checkpoint is made: a synthetic world, its captions, and training."""
