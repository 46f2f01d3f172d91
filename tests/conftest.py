"""One thread and one order of examples: tests give the same result on every machine."""

import os

from hypothesis import settings

# Set before torch is imported, and for the processes that tests start: sums differ between numbers of threads.
os.environ["OMP_NUM_THREADS"] = "1"

settings.register_profile("same_everywhere", derandomize=True, deadline=None)
settings.load_profile("same_everywhere")
