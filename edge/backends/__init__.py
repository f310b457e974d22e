"""Model runtimes: one module each, imported only when it is asked for."""

from __future__ import annotations

from edge.backends.base import BACKENDS, Backend, open_backend

__all__ = ["BACKENDS", "Backend", "open_backend"]
