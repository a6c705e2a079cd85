"""Print the lowest versions that pyproject.toml allows, as constraints for pip.

The bounds stand in one place: this turns each `name>=version` of it into `name==version`. What is
pinned, or has no lower bound, is left to pip.
"""

import re
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]
for requirement in [*project["dependencies"], *extras["dev"]]:
    if bound := re.match(r"([\w.-]+)>=([\w.]+)", requirement):
        print(f"{bound[1]}=={bound[2]}")
