"""Model runtimes: one module each, imported only when it is asked for."""

from __future__ import annotations

from edge.runtimes.base import BACKENDS, AttentiveBackend, Backend, open_backend
from edge.runtimes.choice import AUTO, Choice, choose_backend

__all__ = [
    "AUTO",
    "BACKENDS",
    "AttentiveBackend",
    "Backend",
    "Choice",
    "choose_backend",
    "open_backend",
]
