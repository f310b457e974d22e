"""Whatever runtime is imported, in whatever process: no socket is opened and no file written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from model_kinds import KINDS, export_kind
from runtime_fakes import REPOSITORY

from edge.artifact import Artifact

PROGRAM = Path(__file__).with_name("quiet_run.py")

CALLS = "%network,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink"

HOOK = """
import os, sys

_inside = False


def _hook(event, args):
    global _inside
    if _inside:
        return
    told = event.startswith("socket.") and event != "socket.gethostname"
    if event == "open" and isinstance(args[0], (str, bytes)):
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        told = bool(args[2] & writes) and not os.fsdecode(args[0]).startswith("/dev/")
    if event in ("os.mkdir", "os.rename", "os.link", "os.symlink", "os.truncate"):
        told = True
    if told:
        _inside = True
        place = os.open(os.environ["AUDIT_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(place, f"{event} {args!r}\\n".encode())
        os.close(place)
        _inside = False


sys.addaudithook(_hook)
"""


@pytest.fixture(scope="module", params=KINDS)
def artifact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return export_kind(request.param, tmp_path_factory.mktemp("kinds"))


@pytest.fixture(scope="module")
def seen(artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what two watchers wrote of one run: the kernel's and Python's own.

    Everybody's home, current and temporary folder is an empty one; the packages that are there
    were compiled before.
    """
    folder = tmp_path_factory.mktemp("seen")
    home, hook = folder / "home", folder / "hook"
    home.mkdir()
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(HOOK)
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    environment = {
        **kept,
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONPATH": os.pathsep.join([str(hook), str(REPOSITORY), *filter(None, sys.path)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AUDIT_LOG": str(folder / "log"),
    }
    prefix: list[str] = []
    if shutil.which("strace") is not None:
        trace = f"trace={CALLS}"
        prefix = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", trace, "-e", "signal=none"]
        prefix += ["-o", str(folder / "trace")]
    done = subprocess.run(
        [*prefix, sys.executable, str(PROGRAM), str(artifact.path), artifact.manifest.backend],
        cwd=home, env=environment, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(home.iterdir()) == []
    return folder


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_no_system_call_to_a_network_and_none_that_writes(seen: Path) -> None:
    text = (seen / "trace").read_text()
    assert "model" in text
    assert "model" in text
    for line in text.splitlines():
        opens = re.search(r"open(?:at)?\(.*?\"(.*?)\", ([A-Z_|]+)", line)
        if opens is None:
            assert re.search(r"^\d+ +(\+\+\+|<\.\.\.|open|creat\(\"/dev)", line), line
        elif re.search("O_WRONLY|O_RDWR|O_CREAT", opens[2]):
            assert opens[1].startswith("/dev/"), line


def test_python_opens_no_socket_and_writes_no_file(seen: Path) -> None:
    """The same by Python's own audit; children have it too."""
    if (seen / "trace").exists():
        assert str(seen / "hook" / "sitecustomize.py") in (seen / "trace").read_text()
    log = seen / "log"
    assert not log.exists(), log.read_text()
