"""Print the lowest versions that pyproject.toml allows, as constraints for pip.

The bounds stand in one place: each `name>=version` of it becomes `name==version`. What is pinned
stays as it is.
"""

import re
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
for requirement in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
    if bound := re.match(r"([\w.-]+)>=([\w.]+)", requirement):
        print(f"{bound[1]}=={bound[2]}")
