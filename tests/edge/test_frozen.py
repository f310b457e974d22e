"""What a frozen application must be told of."""

from __future__ import annotations

import pkgutil
import runpy
import sys
import types
from pathlib import Path

import pytest

import edge
import edge._pyinstaller
from edge.bundled import MODELS, MODELS_DIR


def test_the_hook_names_every_module_and_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    (folder,) = edge._pyinstaller.get_hook_dirs()
    walked = [module.name for module in pkgutil.walk_packages(edge.__path__, "edge.")]
    hooks = types.ModuleType("hooks")
    hooks.collect_submodules = lambda _, filter: list(filter_names(filter, walked))  # type: ignore[attr-defined]
    hooks.collect_data_files = lambda name: [name]  # type: ignore[attr-defined]
    for name in ("PyInstaller", "PyInstaller.utils", "PyInstaller.utils.hooks"):
        monkeypatch.setitem(sys.modules, name, hooks)
    found = runpy.run_path(str(Path(folder) / "hook-edge.py"))
    late = {"edge.runtimes.onnx", "edge.runtimes.numpy.model", "edge.cli.listen", "edge.bundled"}
    assert late <= set(found["hiddenimports"])
    assert not any("_pyinstaller" in name for name in found["hiddenimports"])
    assert found["datas"] == ["edge"]


def filter_names(keep: object, names: list[str]) -> list[str]:
    assert callable(keep)
    return [name for name in names if keep(name)]


def test_models_lie_beside_the_module_that_names_them() -> None:
    """A frozen application unpacks data beside the modules, so this path holds there too."""
    assert Path(edge.__file__).resolve().parent / "bundled" == MODELS_DIR
    for kinds in MODELS.values():
        assert all((MODELS_DIR / kind / "manifest.json").is_file() for kind in kinds.values())
