"""Speech emotion recognition on small devices: the name that a program imports.

>>> import edge_ser
>>> edge_ser.FeatureSpec().n_features
34

Everything here is that of the package ``edge``, whose name other distributions use as well.  When
something is first asked for, it is looked at; a foreign one is an `ImportError` of one sentence.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from edge_ser.foreign import complaint as _complaint


def _edge() -> ModuleType:
    sentence = _complaint("edge", "edge-ser")
    if sentence is not None:
        raise ImportError(sentence, name="edge")
    return importlib.import_module("edge")


def __getattr__(name: str) -> object:
    if name.startswith("__") and name not in ("__all__", "__version__"):
        # What Python itself asks a module for; not worth an import.
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value: object = getattr(_edge(), name)
    except AttributeError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_edge())})
