"""The corpora, known ones and anybody's: who speaks, what is there, what is missing."""

from __future__ import annotations

from quantize.data.corpora.base import DOMAINS, LABELS, Clip, Corpus
from quantize.data.corpora.inventory import NO_LICENCE, CorpusReport
from quantize.data.corpora.known import CORPORA, LICENCES
from quantize.data.corpora.labels import (
    check_labels,
    choose_domains,
    choose_labels,
    counted,
    in_order,
    label_numbers,
    labelled,
)
from quantize.data.corpora.load import FoundCorpora, Roots, find_corpora, load_corpora

__all__ = [
    "CORPORA",
    "DOMAINS",
    "LABELS",
    "LICENCES",
    "NO_LICENCE",
    "Clip",
    "Corpus",
    "CorpusReport",
    "FoundCorpora",
    "Roots",
    "check_labels",
    "choose_domains",
    "choose_labels",
    "counted",
    "find_corpora",
    "in_order",
    "label_numbers",
    "labelled",
    "load_corpora",
]
