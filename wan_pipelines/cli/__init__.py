"""`wan`: everything without a UI."""

from wan_pipelines.cli.app import main

__all__ = ["main"]
