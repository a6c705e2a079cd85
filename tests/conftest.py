from __future__ import annotations

from pytest_textual_snapshot import SVGImageExtension

pytest_plugins = ["pytester"]

# This version of the plugin sets the older spelling of the name that syrupy reads.
SVGImageExtension.file_extension = "svg"
