"""Where benchmarks find the project and leave their figures."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
RESULTS = PROJECT / ".wan" / "benchmarks"
WEIGHTS = PROJECT / "wan_pipelines" / "weights" / "checkpoints" / "wan-tiny"
