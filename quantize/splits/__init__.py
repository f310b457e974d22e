"""Which clips train and which test: fixed seeded rules, and a checker for leaks."""

from __future__ import annotations

from quantize.splits.check import check_split
from quantize.splits.rules import paper_split, speaker_folds, validation_split
from quantize.splits.split import Split, read_split, write_split

__all__ = [
    "Split",
    "check_split",
    "paper_split",
    "read_split",
    "speaker_folds",
    "validation_split",
    "write_split",
]
