"""How many segments a report on rounding is made from, where nobody says."""

from __future__ import annotations

__all__ = ["N_GENERATED", "N_SEGMENTS"]

#: Of corpora.
N_SEGMENTS = 500

#: Of a report without corpora: speech must first be spoken, which takes its time.
N_GENERATED = 160
