"""Videos longer than a model draws at once, as segments that continue each other."""
