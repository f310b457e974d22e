"""A page, an interface for programs and figures for a watchdog, over HTTP: ``--to web:HOST:PORT``.

``settings`` reads how it was named, ``sink`` is told the decisions, ``words`` makes bytes of each
once, ``board`` remembers the last ones, ``event_stream`` hands them to whoever listens,
``server`` runs all that serves in a thread of its own.
"""

from __future__ import annotations
