"""The device side on every Python and NumPy that it promises.

    nox                                  # all that can be installed here
    nox -s "edge-3.11(numpy='1.26.4')"   # one of them
    nox -s edge -- tests/edge/features   # some of the tests
    nox -s differences                   # how far the features of the last runs are apart

A Python that is not on this machine is skipped and named in nox's summary. The tests are those
of `edge`: torch, onnx and librosa are not installed, parity reads what librosa left in
tests/parity/features.npz.
"""

from __future__ import annotations

from pathlib import Path

import nox

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
#: The oldest that is promised, which is Debian 12's, the last 1.x series, and the newest that the
#: interpreter can have.
NUMPYS = ("1.24.2", "1.26.4", "newest")
#: The first Pythons without it.
TOO_NEW = {"1.24.2": "3.12", "1.26.4": "3.13"}
DUMPS = Path(".nox") / "features"

nox.options.sessions = ["edge", "differences"]
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True


@nox.session(python=PYTHONS)
@nox.parametrize("numpy", NUMPYS)
def edge(session: nox.Session, numpy: str) -> None:
    """Test `edge` and keep the features of the parity signals."""
    python = str(session.python)
    if numpy in TOO_NEW and int(python[2:]) >= int(TOO_NEW[numpy][2:]):
        session.skip(f"NumPy {numpy} was never built for Python {python}")
    wanted = "numpy>=2,<3" if numpy == "newest" else f"numpy=={numpy}"
    tools = ("pytest>=8", "pytest-timeout>=2.3", "hypothesis>=6.100", "jsonschema>=4.18")
    session.install(wanted, *tools, "-e", ".")
    # Small matrices: a second thread costs more than it helps.
    session.env["OMP_NUM_THREADS"] = "1"
    session.run("python", "-m", "pytest", "-q", *(session.posargs or ["tests/edge"]))
    DUMPS.mkdir(parents=True, exist_ok=True)
    dump = DUMPS / f"python{session.python}-numpy-{numpy}.npz"
    session.run("python", "-m", "benchmarks.features.numpy_versions", "--save", str(dump))


@nox.session(python=False)
def differences(session: nox.Session) -> None:
    """Compare the features that the sessions before left."""
    dumps = sorted(str(dump) for dump in DUMPS.glob("*.npz"))
    if len(dumps) < 2:
        session.skip(f"{len(dumps)} result to compare: run nox -s edge first")
    session.run("python", "-m", "benchmarks.features.numpy_versions", "--compare", *dumps)
