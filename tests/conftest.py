from __future__ import annotations

from hypothesis import HealthCheck, settings
from pytest_textual_snapshot import SVGImageExtension

pytest_plugins = ["pytester"]

# This version of the plugin sets the older spelling of the name that syrupy reads.
SVGImageExtension.file_extension = "svg"

# How fast a machine is says nothing about the code.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
