"""Sound in: audio files, microphones, resampling and the buffer between threads."""

from __future__ import annotations
