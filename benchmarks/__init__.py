"""What the product costs beside the models it runs; see docs/performance.md."""
