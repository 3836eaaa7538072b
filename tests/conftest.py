"""What all tests have in common."""

import os

from hypothesis import settings

from wan_pipelines.places import ENVIRONMENT_VARIABLE, ROOT_VARIABLE, STATE_VARIABLE

# The deployment that somebody works on in this shell is none of the tests' business.
for name in (ENVIRONMENT_VARIABLE, ROOT_VARIABLE, STATE_VARIABLE, "DAGSTER_HOME"):
    os.environ.pop(name, None)

# A busy machine is no reason to fail: tests of speed measure the processor's time themselves.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
