"""Imported once for each run, by the server from which the run's steps are forked.

The YAML is read here: steps begin in a fraction of the time, and all of them have the definitions
with which their run began, whoever edits a brief meanwhile.
"""

from wan_pipelines import definitions

try:
    definitions.keep()
except Exception as error:  # the server passes over ImportError; the steps will tell what is wrong
    raise ImportError(f"The definitions do not load: {error}") from error
