"""Tags by which we know runs again, and ops their places.

A run that is executed again begins with the tags of its parent.
"""

PARTITION = "dagster/partition"
PROCESS = "wan/process"
"""The process that executes the run, as `processes.process_name` names it."""
INTERRUPTED = "wan/interrupted"
"""The id of a run whose command somebody stopped."""
WISH = "wan/wish"
"""What was asked for when the run admitted its shots: `studio.watch.wish_of`."""
CONCERN = "wan/concern"
"""What the run was launched for by the sensor: the digest of a `studio.watch.Concern`."""
REASON = "wan/reason"
"""The same in words."""

GPU_CLASS = "wan/gpu-class"
"""Of an op: the GPU class whose pods it runs in, and which it holds GPUs of."""
NODE_CLASS = "wan/node-class"
"""Of an op: the GPU class on whose nodes it runs, without a GPU."""
RELEASE = "wan/release"
"""Of an op: the release whose weights are fetched to its node before it begins."""
