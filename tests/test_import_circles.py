"""No modules import each other in a circle, inside functions either."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

grimp = pytest.importorskip("grimp", reason="comes with import-linter")


def circles(modules: Iterable[str], imported_by: Callable[[str], Iterable[str]]) -> list[list[str]]:
    """Give the sets of two or more modules of which each leads to each (Tarjan 1972)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        path.append(module)
        for other in imported_by(module):
            if other not in order:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in path:
                lowest[module] = min(lowest[module], order[other])
        if lowest[module] == order[module]:
            start = path.index(module)
            if len(path) - start > 1:
                found.append(sorted(path[start:]))
            del path[start:]

    for module in sorted(modules):
        if module not in order:
            visit(module)
    return found


def circles_of(*packages: str) -> list[list[str]]:
    # What only a type checker reads is imported by nobody.
    graph = grimp.build_graph(*packages, exclude_type_checking_imports=True, cache_dir=None)
    return circles(graph.modules, graph.find_modules_directly_imported_by)


def test_no_module_leads_back_to_itself() -> None:
    assert circles_of("edge", "edge_ser", "quantize") == []


def test_the_workstation_has_ten_rooms() -> None:
    graph = grimp.build_graph("quantize", exclude_type_checking_imports=True, cache_dir=None)
    rooms = {module.split(".")[1] for module in graph.modules if module != "quantize"}
    # The entry point lies beside the package when installed.
    rooms.discard("edge_ser_quantize")
    assert len(rooms) <= 10, sorted(rooms)


def test_a_circle_of_lazy_imports_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "roundabout"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "north.py").write_text("import roundabout.east\n")
    (package / "east.py").write_text("def go():\n    from roundabout import south\n")
    (package / "south.py").write_text("from roundabout.north import go\n")
    (package / "exit.py").write_text("import roundabout.north\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    expected = [f"roundabout.{name}" for name in ("east", "north", "south")]
    assert circles_of("roundabout") == [expected]
    assert "roundabout" not in sys.modules
