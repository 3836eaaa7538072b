"""What a cluster runs: pods for steps, on GPUs and without, as an environment declares them."""
