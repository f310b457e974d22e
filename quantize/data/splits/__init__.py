"""Which clips train and which test: fixed seeded rules, and a checker for leaks."""

from __future__ import annotations

from quantize.data.splits.check import check_split
from quantize.data.splits.corpora import common_labels, german_to_english, leave_one_corpus_out
from quantize.data.splits.rules import paper_split, speaker_folds, validation_split
from quantize.data.splits.split import Split, read_split, write_split

__all__ = [
    "Split",
    "check_split",
    "common_labels",
    "german_to_english",
    "leave_one_corpus_out",
    "paper_split",
    "read_split",
    "speaker_folds",
    "validation_split",
    "write_split",
]
