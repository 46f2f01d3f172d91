"""One thread, one order of examples, no signal ignored: tests give the same result on every machine."""

import os
import signal
from contextlib import suppress

from hypothesis import HealthCheck, settings

# Set before torch is imported, and for the processes that tests start: sums differ between numbers of threads.
os.environ["OMP_NUM_THREADS"] = "1"

# Nor is it an error that a busy machine makes examples slowly.
settings.register_profile(
    "same_everywhere", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same_everywhere")

# What is started in the background ignores them, and so would every process that a test starts and stops.
with suppress(ValueError):  # not in the main thread
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
