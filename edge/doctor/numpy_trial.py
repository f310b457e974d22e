"""What the child of the check of NumPy does: import it and print one line of JSON.

python -m edge.doctor.numpy_trial
"""

from __future__ import annotations

import contextlib
import ctypes
import json
from pathlib import Path
from typing import Any

from edge.doctor.numpy_missing import what_numpy_lacks

__all__ = ["main"]

# As OpenBLAS calls it itself, and as the wheels of NumPy have it.
_COUNTERS = (
    "openblas_get_num_threads",
    "openblas_get_num_threads64_",
    "scipy_openblas_get_num_threads",
    "scipy_openblas_get_num_threads64_",
)


def main() -> None:
    """Import NumPy and tell its version, BLAS and threads, or what is wrong and the mend."""
    try:
        import numpy as np
    except ImportError as error:
        sentence = what_numpy_lacks(error)
        for mark in (": install it with: ", "; install it with: "):
            problem, found, mend = sentence.partition(mark)
            if found:
                break
        else:
            problem, _, mend = sentence.partition(": ")
        answer: dict[str, Any] = {"problem": problem, "mend": mend}
    except Exception as error:
        # Built for a newer processor, says NumPy of itself; or half a package is left.
        reason = " ".join(str(error).split()) or type(error).__name__
        answer = {
            "problem": f"NumPy cannot be imported ({reason})",
            "mend": "pip install --force-reinstall numpy",
        }
    else:
        answer = {"version": np.__version__, "blas": _blas(np), "n_threads": _n_threads(np)}
    print("\n" + json.dumps(answer))


def _blas(np: Any) -> str | None:
    """Name and version of the BLAS that NumPy was built with; None for NumPy's own loops."""
    with contextlib.suppress(Exception):
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        if not blas.get("found", True) or blas["name"] in ("none", "auto", ""):
            return None
        return f"{blas['name']} {blas.get('version', '')}".strip()
    return "an unknown BLAS"


def _n_threads(np: Any) -> int | None:
    """Ask the loaded OpenBLAS; None where it is another library."""
    with contextlib.suppress(OSError):
        maps = Path("/proc/self/maps").read_text(errors="replace")
        paths = {line.split(None, 5)[-1] for line in maps.splitlines() if "openblas" in line}
        for path in sorted(paths):
            with contextlib.suppress(OSError):
                library = ctypes.CDLL(path)
                for name in _COUNTERS:
                    if hasattr(library, name):
                        return int(getattr(library, name)())
    return None


if __name__ == "__main__":
    main()
