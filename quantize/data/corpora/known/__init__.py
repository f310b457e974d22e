"""The known corpora, each a module: its names, labels, speakers and licence."""

from __future__ import annotations

from quantize.data.corpora.base import Corpus
from quantize.data.corpora.known import (
    aesdd,
    asvp_esd,
    cafe,
    crema_d,
    emodb,
    emov_db,
    emovo,
    esd,
    iemocap,
    jl_corpus,
    meld,
    mesd,
    nemo,
    ravdess,
    savee,
    shemo,
    subesco,
    tess,
    turev_db,
    urdu,
)

__all__ = ["CORPORA", "LICENCES"]

CORPORA: dict[str, Corpus] = {
    module.CORPUS.name: module.CORPUS
    for module in (
        ravdess,
        savee,
        emodb,
        tess,
        aesdd,
        asvp_esd,
        cafe,
        crema_d,
        emov_db,
        emovo,
        esd,
        iemocap,
        jl_corpus,
        meld,
        mesd,
        nemo,
        shemo,
        subesco,
        turev_db,
        urdu,
    )
}
"""Every known corpus by name: the four of `DOMAINS` in their order, then by the alphabet."""

LICENCES: dict[str, str] = {corpus.name: corpus.licence for corpus in CORPORA.values()}
"""Terms of every known corpus, by its name; own recordings are not among them."""
