"""What listening takes at most, with nothing but NumPy."""

from __future__ import annotations

import json
import sys

import pytest
from runtime_fakes import run_cli

#: Resident MB (10^6 bytes) that a device needs to listen with the bundled model and NumPy.
MOST_MB = 48.0


@pytest.mark.skipif(sys.platform != "linux", reason="another system counts otherwise")
def test_listening_with_numpy_is_small() -> None:
    done = run_cli("listen", "--source", "demo", "--fast", "--backend", "numpy", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["peak_rss_mb"] <= MOST_MB
