"""Find out whether a package of a common name is ours.

Other distributions install a top-level ``edge`` or ``quantize``, too.  One that was installed after
ours has overwritten our files without a word, one that lies earlier on the path hides them: what
runs then is part ours and part theirs.  Nothing of the package is imported to tell.
"""

from __future__ import annotations

import importlib.util
import re

__all__ = ["complaint"]


def complaint(package: str, distribution: str) -> str | None:
    """Say what is wrong with a package, in one sentence.

    Parameters
    ----------
    package : str
        Its name, top level.
    distribution : str
        What its ``__init__.py`` must give as ``__distribution__``.

    Returns
    -------
    str or None
        None where it is ours.
    """
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return (
            f"{distribution} is not whole: its package {package!r} is not installed; install it "
            "from the folder of edge-ser: pip install ."
        )
    get_source = getattr(spec.loader, "get_source", None)
    try:
        source = get_source(package) if get_source is not None else ""
    except (ImportError, OSError, UnicodeError, SyntaxError):
        source = ""
    if source is None:
        # Frozen into a program, where nobody overwrites anything.
        return None
    pattern = rf'^__distribution__ = "{re.escape(distribution)}"$'
    if re.search(pattern, source, re.MULTILINE):
        return None
    where = spec.origin or ", ".join(spec.submodule_search_locations or ["an unknown place"])
    return (
        f"{where} is not ours: another package installs {package!r}, too, and hides or has "
        f"overwritten that of {distribution}; install edge-ser again in a virtual environment of "
        "its own, from its folder: pip install --force-reinstall ."
    )
