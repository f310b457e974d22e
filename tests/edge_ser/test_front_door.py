"""``import edge_ser``, and what happens where another package is called `edge` or `quantize`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import edge
import edge_ser
from edge_ser.foreign import complaint

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = '"""Edge detection for everybody."""\n\ndef load(picture):\n    return picture\n'


def run(*command: str, path: list[Path]) -> subprocess.CompletedProcess[str]:
    search = os.pathsep.join(map(str, path))
    return subprocess.run(
        [sys.executable, "-W", "error", *command],
        env={**os.environ, "PYTHONPATH": search, "OMP_NUM_THREADS": "1"},
        cwd=path[0], capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def overwritten(tmp_path: Path) -> Path:
    """A folder with all packages, in which another distribution replaced `edge/__init__.py`."""
    for name in ("edge", "edge_ser", "quantize"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "bundled")
        )
    shutil.copy(ROOT / "quantize" / "edge_ser_quantize.py", tmp_path)
    (tmp_path / "edge" / "__init__.py").write_text(FOREIGN)
    return tmp_path


@pytest.fixture
def hidden(tmp_path: Path) -> list[Path]:
    """A path on which another package called `edge` comes first."""
    (tmp_path / "edge").mkdir()
    (tmp_path / "edge" / "__init__.py").write_text(FOREIGN)
    return [tmp_path, ROOT, ROOT / "quantize"]


def test_both_names_give_the_same_things() -> None:
    for name in edge.__all__:
        assert getattr(edge_ser, name) is getattr(edge, name)
    assert set(edge.__all__) <= set(dir(edge_ser))
    assert edge_ser.__version__ == edge.__version__


def test_every_name_has_a_home() -> None:
    assert set(edge.__all__) == {"__version__", *edge._HOME, *edge._ROOMS}


def test_importing_it_needs_no_numpy() -> None:
    done = run("-c", "import edge_ser, sys; assert 'numpy' not in sys.modules", path=[ROOT])
    assert done.returncode == 0, done.stderr


def test_star_gives_all_names() -> None:
    done = run("-c", "from edge_ser import *; print(load.__name__)", path=[ROOT])
    assert done.stdout == "load\n", done.stderr


def test_what_is_public_shows_itself_in_a_short_line() -> None:
    classifier = edge_ser.load()
    shown = [
        repr(thing)
        for thing in (
            classifier, classifier.stream(), classifier.artifact, edge_ser.FeatureExtractor(),
            edge_ser.Microphone(device="desk"), edge_ser.Stop(),
        )
    ]  # fmt: skip
    assert [line for line in shown if " object at " in line or len(line) > 300] == []
    assert "'desk'" in shown[4]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'edge_ser' has no attribute 'nothing'"):
        _ = edge_ser.nothing


def test_ours_are_known() -> None:
    assert complaint("edge", "edge-ser") is None
    assert complaint("quantize", "edge-ser-quantize") is None


@pytest.mark.parametrize("module", ["edge_ser", "edge_ser_quantize"])
def test_an_overwritten_package_ends_the_commands_with_one_sentence(
    overwritten: Path, module: str
) -> None:
    done = run("-m", module, "--help", path=[overwritten])
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert f"{overwritten / 'edge' / '__init__.py'} is not ours" in line
    assert "virtual environment" in line
    assert "pip install --force-reinstall ." in line


@pytest.mark.parametrize("module", ["edge_ser", "edge_ser_quantize"])
def test_a_package_that_comes_first_ends_the_commands_with_one_sentence(
    hidden: list[Path], module: str
) -> None:
    done = run("-m", module, "--help", path=hidden)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"{hidden[0] / 'edge' / '__init__.py'} is not ours" in line


def test_in_a_program_it_is_an_import_error(hidden: list[Path]) -> None:
    code = "import edge_ser\ntry:\n    edge_ser.load\nexcept ImportError as e:\n    print(e)\n"
    done = run("-c", code, path=hidden)
    assert done.returncode == 0, done.stderr
    assert "is not ours: another package installs 'edge', too" in done.stdout


def test_a_foreign_quantize_is_found(overwritten: Path) -> None:
    shutil.copy(ROOT / "edge" / "__init__.py", overwritten / "edge")
    (overwritten / "quantize" / "__init__.py").write_text("")
    done = run("-m", "edge_ser_quantize", "--help", path=[overwritten])
    assert done.returncode == 2
    assert f"{overwritten / 'quantize' / '__init__.py'} is not ours" in done.stderr


def test_a_device_alone_says_what_the_workstation_lacks(tmp_path: Path) -> None:
    shutil.copy(ROOT / "quantize" / "edge_ser_quantize.py", tmp_path)
    code = (
        "import sys; sys.modules['edge_ser'] = None\n"
        "import edge_ser_quantize; edge_ser_quantize.run()"
    )
    done = run("-c", code, path=[tmp_path])
    assert done.returncode == 2
    assert done.stderr.endswith("pip install . ./quantize\n")


def test_a_package_that_is_not_there_is_named(overwritten: Path) -> None:
    shutil.rmtree(overwritten / "edge")
    code = (
        "import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f)]\n"
        "from edge_ser.start import run; run()"
    )
    done = run("-c", code, path=[overwritten])
    assert done.returncode == 2
    assert "its package 'edge' is not installed" in done.stderr
