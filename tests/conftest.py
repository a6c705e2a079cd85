from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]


def pytest_xdist_auto_num_workers() -> int:
    """Run two tests for each processor: most of them wait for a screen or for a process."""
    return 2 * (os.cpu_count() or 1)


# No test reads or writes the progress of whoever runs it; neither do the processes that one starts.
os.environ["STEPGRAD_STATE"] = "off"

# How fast a machine is says nothing about the code.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
