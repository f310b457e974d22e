"""``import edge`` costs nothing, and the device needs NumPy alone."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from runtime_fakes import REPOSITORY

import edge
from edge.artifact import Artifact

# Everything but NumPy and the standard library is out of reach.
BLOCKER = """
import sys

class Blocker:
    allowed = sys.stdlib_module_names | {"edge", "numpy"}
    asked = []

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.allowed:
            self.asked.append(name)
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

blocker = Blocker()
sys.meta_path.insert(0, blocker)
"""


def run_blocked(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCKER + code, *args],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_blocker_blocks() -> None:
    assert "hypothesis is blocked" in run_blocked("import hypothesis").stderr


def test_importing_the_package_and_its_command_line_imports_nothing_else() -> None:
    done = run_blocked(
        "import edge, edge.cli.main\n"
        "assert not blocker.asked, blocker.asked\n"
        "assert 'numpy' not in sys.modules\n"
        "assert not set(sys.modules) & {'edge.stream', 'edge.features'}\n"
    )
    assert done.returncode == 0, done.stderr


def test_the_options_of_every_command_need_no_numpy() -> None:
    """So that `--help` is quick, and `doctor` can say what is wrong with NumPy."""
    done = run_blocked(
        "import edge.cli.main\n"
        "edge.cli.main._parser()\n"
        "assert 'numpy' not in sys.modules\n"
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_everything_imports_with_numpy_alone() -> None:
    done = run_blocked(
        "import importlib, pkgutil, edge\n"
        "for module in pkgutil.walk_packages(edge.__path__, 'edge.'):\n"
        "    if not module.name.startswith(('edge.bundled', 'edge._pyinstaller.hook-')):\n"
        "        importlib.import_module(module.name)\n"
        "assert 'numpy' in sys.modules\n"
        "assert not [a for a in blocker.asked if a.partition('.')[0] in "
        "('torch', 'onnxruntime', 'sounddevice', 'soundfile', 'scipy', 'librosa', 'quantize')]\n"
    )
    assert done.returncode == 0, done.stderr


def test_loading_starts_nothing_and_reads_one_model() -> None:
    done = run_blocked(
        "import edge\n"
        "opened = []\n"
        "sys.addaudithook(lambda e, a: opened.append(str(a[0])) if e == 'open' else None)\n"
        "edge.load()\n"
        "assert len([o for o in opened if o.endswith('manifest.json')]) == 1, opened\n"
        "assert not set(sys.modules) & {'subprocess', 'edge.runtimes.probe'}\n"
    )
    assert done.returncode == 0, done.stderr


def test_a_clip_is_classified_with_numpy_alone(tiny_artifact: Artifact) -> None:
    done = run_blocked(
        "from edge.cli.main import main\n"
        "sys.exit(main(['listen', '--source', 'demo', '--fast', '--artifact', sys.argv[1]]))\n",
        str(tiny_artifact.path),
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 20


@pytest.mark.parametrize("name", [n for n in edge.__all__ if n != "__version__"])
def test_every_export_is_there(name: str) -> None:
    value = getattr(edge, name)
    assert value.__name__.rpartition(".")[2] == name
    assert name in dir(edge)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'edge' has no attribute 'Nothing'"):
        _ = edge.Nothing


def test_version_is_that_of_the_project() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text()
    assert re.search(r'^version = "(.+)"$', text, re.MULTILINE)[1] == edge.__version__


def test_listening_loads_no_openssl_and_no_masked_arrays(tiny_artifact: Artifact) -> None:
    """Together a tenth of the memory of a run."""
    done = run_blocked(
        "import numpy\n"
        "before = set(sys.modules)\n"
        "from edge.cli.main import main\n"
        "main(['listen', '--source', 'demo', '--fast', '--artifact', sys.argv[1]])\n"
        "loaded = (set(sys.modules) - before) & {'_hashlib', '_ssl', 'numpy.ma', 'numpy.random'}\n"
        "assert not loaded, loaded\n",
        str(tiny_artifact.path),
    )
    assert done.returncode == 0, done.stderr
