"""What all tests have in common."""

from hypothesis import settings

# A busy machine is no reason to fail: tests of speed measure the processor's time themselves.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
