"""What to install where NumPy cannot be imported."""

from __future__ import annotations

import re

__all__ = ["what_numpy_lacks"]

_LIBRARY = re.compile(r"(lib[\w+.-]*\.so[.\d]*): cannot open shared object")
_ORIGINAL = re.compile(r"Original error was: *(.+)")


def what_numpy_lacks(error: ImportError) -> str:
    """Say in a sentence why NumPy cannot be imported, and the mend.

    NumPy tells the reason on some line of a page of advice, or in the error before.

    Raises
    ------
    ImportError
        ``error`` itself, if it is about something else.
    """
    told = "\n".join(str(each) for each in (error, error.__cause__, error.__context__) if each)
    library = _LIBRARY.search(told)
    if library is not None and "blas" in library[1]:
        return f"NumPy cannot load {library[1]}: install it with: sudo apt-get install libopenblas0"
    if library is not None:
        return f"a package cannot load {library[1]}: install that library with the system's tools"
    if (error.name or "").partition(".")[0] != "numpy" and "numpy" not in told.lower():
        raise error
    original = _ORIGINAL.search(told)
    reason = original[1] if original else told.strip().splitlines()[0]
    return f"NumPy cannot be imported ({reason.strip()}); install it with: pip install numpy"
