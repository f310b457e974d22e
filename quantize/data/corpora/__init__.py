"""The four corpora: who speaks, what is there, what is missing."""

from __future__ import annotations

from quantize.data.corpora.base import DOMAINS, LABELS, Clip, Corpus
from quantize.data.corpora.inventory import CorpusReport, format_reports
from quantize.data.corpora.labels import (
    check_labels,
    choose_domains,
    choose_labels,
    counted,
    in_order,
    label_numbers,
    labelled,
)
from quantize.data.corpora.load import CORPORA, load_corpora

__all__ = [
    "CORPORA",
    "DOMAINS",
    "LABELS",
    "Clip",
    "Corpus",
    "CorpusReport",
    "check_labels",
    "choose_domains",
    "choose_labels",
    "counted",
    "format_reports",
    "in_order",
    "label_numbers",
    "labelled",
    "load_corpora",
]
