"""Model runtimes: one module each, imported only when it is asked for."""

from __future__ import annotations

from edge.backends.base import BACKENDS, AttentiveBackend, Backend, open_backend

__all__ = ["BACKENDS", "AttentiveBackend", "Backend", "open_backend"]
