"""NumPy that cannot be imported is one sentence and not a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from runtime_fakes import ENVIRONMENT, complaint, run_cli

from edge.doctor.numpy_missing import what_numpy_lacks

PAGE = """

IMPORTANT: PLEASE READ THIS FOR ADVICE ON HOW TO SOLVE THIS ISSUE!

Importing the numpy C-extensions failed. This error can happen for
many reasons, often due to issues with your setup or how NumPy was
installed.

Original error was: {}
"""


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (
            "libopenblas.so.0: cannot open shared object file: No such file or directory",
            "NumPy cannot load libopenblas.so.0: install it with: sudo apt-get install "
            "libopenblas0",
        ),
        (
            "libgfortran.so.5: cannot open shared object file: No such file or directory",
            "a package cannot load libgfortran.so.5: install that library with the system's tools",
        ),
        (
            "No module named 'numpy._core._multiarray_umath'",
            "NumPy cannot be imported (No module named 'numpy._core._multiarray_umath'); install "
            "it with: pip install numpy",
        ),
    ],
)
@pytest.mark.parametrize("command", ["classify a.wav", "listen --source demo --fast", "benchmark"])
def test_every_command_says_it_in_one_sentence(
    tmp_path: Path, command: str, reason: str, told: str
) -> None:
    (tmp_path / "numpy").mkdir()
    page = PAGE.format(reason)
    (tmp_path / "numpy" / "__init__.py").write_text(f"raise ImportError({page!r})\n")
    done = run_cli(*command.split(), env={**ENVIRONMENT, "PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint(done.stderr) == f"edge-ser: error: {told}"


def test_no_numpy_at_all() -> None:
    error = ModuleNotFoundError("No module named 'numpy'", name="numpy")
    assert what_numpy_lacks(error).endswith("install it with: pip install numpy")


def test_the_reason_may_lie_in_the_error_before() -> None:
    error = ImportError("Unable to import required dependencies: numpy")
    error.__cause__ = ImportError("libblas.so.3: cannot open shared object file")
    assert "libblas.so.3: install it with: sudo apt-get install libopenblas0" in (
        what_numpy_lacks(error)
    )


def test_other_errors_go_on() -> None:
    error = ImportError("cannot import name 'x' from 'edge'")
    with pytest.raises(ImportError) as caught:
        what_numpy_lacks(error)
    assert caught.value is error
