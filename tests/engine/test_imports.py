"""The engine's rooms build on each other without a circle."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import stepgrad.engine

ENGINE = Path(stepgrad.engine.__file__).parent


def imported(path: Path) -> set[str]:
    """The modules of the engine that a file imports, also only for annotations."""
    found = set()
    for part in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match part:
            case ast.ImportFrom(module="stepgrad.engine", names=names):
                found |= {each.name for each in names}
            case ast.ImportFrom(module=str(module)) if module.startswith("stepgrad.engine."):
                found.add(module.removeprefix("stepgrad.engine."))
    return found


def test_no_module_of_the_engine_imports_itself_by_way_of_others() -> None:
    graph = {path.stem: imported(path) for path in ENGINE.glob("*.py")}
    assert graph["value"] > {"node", "tape"}
    order = [*TopologicalSorter(graph).static_order()]  # raises CycleError
    assert order.index("node") < order.index("tape") < order.index("value")
