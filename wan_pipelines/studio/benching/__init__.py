"""Measuring the engines of a release on the machine at hand."""
