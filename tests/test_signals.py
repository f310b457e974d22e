"""The tests themselves, started by a shell that ignores what they send."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import signal
assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
import conftest
conftest.pytest_configure()
import os
os.execv("/bin/sh", ["sh", "-c", "kill -INT $$; exit 7"])
"""


def test_children_hear_ctrl_c_where_it_was_ignored_at_the_start():
    """As in a script's ``pytest &``: what a process ignores, its children ignore, too."""
    result = subprocess.run(
        ["/bin/sh", "-c", 'trap "" INT HUP; exec "$0" -c "$1"', sys.executable, _PROGRAM],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=Path(__file__).parent,
        timeout=60,
        check=False,
    )
    assert result.returncode == -signal.SIGINT
